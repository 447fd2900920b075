import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sweep } from './lab/cleanup.ts'
import { root } from './lab/run.ts'

const built = ['native/build/Release/lb_native.node', 'build/bpf/lb.bpf.o', 'dist/cli/main.js']

/** Says once, and at once, what would otherwise fail test by test; removes what killed runs left. */
export default async function setup(): Promise<() => Promise<void>> {
  const missing = built.filter((path) => !existsSync(join(root, path)))
  if (missing.length > 0) console.warn(`Not built: ${missing.join(', ')}. npm test builds before it tests.`)
  if (process.getuid?.() !== 0) return () => Promise.resolve()
  await report('Left by an earlier run, and removed')
  return () => report('Left by a test of this run, and removed')
}

async function report(what: string): Promise<void> {
  const removed = await sweep()
  if (removed.length > 0) console.warn(`${what}: ${removed.join(', ')}`)
}
