import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { testNames } from './lab/names.ts'
import { root } from './lab/run.ts'

/** A place in the data plane's source, and what stands there instead. */
export interface Change {
  /** From bpf/. */
  readonly file: string
  /** Has to be there exactly once. */
  readonly from: string
  readonly to: string
}

/** Compiles the data plane as it would be with changes; the path of the object, which is gone after the test. */
export function buildChanged(changes: readonly Change[]): string {
  const folder = mkdtempSync(join(tmpdir(), `${testNames().instance}-`))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'bpf'), folder, { recursive: true })
  for (const { file, from, to } of changes) {
    const path = join(folder, file)
    const [before, after, ...more] = readFileSync(path, 'utf8').split(from)
    if (after === undefined || more.length > 0) {
      throw new Error(
        `bpf/${file} does not have '${from}' exactly once: make the same change where it is now`,
      )
    }
    writeFileSync(path, `${before}${to}${after}`)
  }
  const object = join(folder, 'lb.bpf.o')
  execFileSync(join(root, 'scripts/build-bpf.sh'), [join(folder, 'lb.bpf.c'), object], { stdio: 'pipe' })
  return object
}
