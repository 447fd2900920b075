import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import type { NativeError } from '../../native/index.ts'
import { testNames } from './lab/names.ts'
import { root } from './lab/run.ts'

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
export const u64 = (...values: number[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values, BigInt).buffer)

/** The numbers in a buffer that the addon filled. */
export function toU32(buffer: Uint8Array): number[] {
  return [...new Uint32Array(buffer.slice().buffer)]
}

/** What `action` throws. */
export function failure(action: () => unknown): NativeError {
  try {
    action()
  } catch (error) {
    return error as NativeError
  }
  throw new Error('it did not fail')
}

/** An empty folder in bpffs, removed with all its pins when the test ends. */
export function pinFolder(): string {
  const folder = `/sys/fs/bpf/lb-${testNames().instance}`
  mkdirSync(folder)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An empty folder on disk, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `${testNames().instance}-`))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const compiled = new Map<string, string>()
const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  compiled.clear()
})

/** Compiles test/support/bpf/<name>.bpf.c, once for each file of tests; the path of the object. */
export function compileBpf(name: string): string {
  const known = compiled.get(name)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), `${testNames().instance}-`))
  folders.push(folder)
  const object = join(folder, `${name}.bpf.o`)
  const source = join(root, 'test/support/bpf', `${name}.bpf.c`)
  execFileSync('clang', ['-O2', '-g', '-target', 'bpf', ...hostIncludes(), '-c', source, '-o', object])
  compiled.set(name, object)
  return object
}

/** Where <asm/types.h> is: clang for the bpf target does not look into the host's multiarch folder. */
function hostIncludes(): string[] {
  const folders = readdirSync('/usr/include').map((name) => join('/usr/include', name))
  const multiarch = folders.find((folder) => existsSync(join(folder, 'asm/types.h')))
  return multiarch === undefined ? [] : ['-idirafter', multiarch]
}

/** Open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}
