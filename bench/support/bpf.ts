import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/support/lab/run.ts'

/** Compiles bench/bpf/<name>.bpf.c as the product is compiled; gives the path of the object. */
export function compileBpf(name: string): string {
  const folder = join(root, 'build/bench')
  mkdirSync(folder, { recursive: true })
  const object = join(folder, `${name}.bpf.o`)
  const clang = process.env['CLANG'] ?? 'clang'
  // clang for the bpf target does not look into the host's multiarch folder, where <asm/types.h> is.
  const multiarch = execFileSync(clang, ['-print-multiarch'], { encoding: 'utf8' }).trim()
  const include = `/usr/include/${multiarch === '' ? `${process.arch}-linux-gnu` : multiarch}`
  const options = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Werror', '-idirafter', include]
  execFileSync(clang, [...options, '-c', join(root, 'bench/bpf', `${name}.bpf.c`), '-o', object])
  return object
}
