#!/usr/bin/env node
/** Compiles bpf/lb.bpf.c to build/bpf/lb.bpf.o. CLANG and LLVM_STRIP name other tools than the default ones. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'bpf/lb.bpf.c')
const object = join(root, 'build/bpf/lb.bpf.o')
const unfinished = `${object}.${process.pid}`

/** Where <asm/types.h> is: clang for the bpf target does not look into the host's multiarch folder. */
function hostIncludes() {
  const triple = execFileSync(clang, ['-print-multiarch'], { encoding: 'utf8' }).trim()
  const folder = triple === '' ? execFileSync(clang, ['-dumpmachine'], { encoding: 'utf8' }).trim() : triple
  return ['-idirafter', `/usr/include/${folder.replace('-pc-', '-').replace('-unknown-', '-')}`]
}

const clang = process.env['CLANG'] ?? 'clang'
const strip = process.env['LLVM_STRIP'] ?? 'llvm-strip'
const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror']

mkdirSync(dirname(object), { recursive: true })
execFileSync(clang, [...flags, ...hostIncludes(), '-c', source, '-o', unfinished], { stdio: 'inherit' })
// DWARF goes, BTF stays.
execFileSync(strip, ['-g', unfinished], { stdio: 'inherit' })
renameSync(unfinished, object)
