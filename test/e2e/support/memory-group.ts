import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { isStale, testNames } from '../../support/lab/names.ts'

/** A control group: it accounts for the kernel memory of what its processes make, also when they are gone. */
export interface MemoryGroup extends Disposable {
  /** The words to put before a command to run it in the group. */
  readonly prefix: readonly string[]
  kernelBytes(): number
}

/** The two versions of control groups: how to know their root, and what says how much kernel memory is used. */
const VERSIONS = [
  {
    root: '/sys/fs/cgroup/memory',
    mark: 'memory.kmem.usage_in_bytes',
    file: 'memory.kmem.usage_in_bytes',
    bytes: /^([0-9]+)$/m,
  },
  { root: '/sys/fs/cgroup', mark: 'cgroup.controllers', file: 'memory.stat', bytes: /^kernel ([0-9]+)$/m },
] as const

export function makeMemoryGroup(): MemoryGroup {
  const version = VERSIONS.find(({ root, mark }) => existsSync(join(root, mark)))
  if (version === undefined) throw new Error('no control groups of memory are mounted')
  const { root, file, bytes } = version
  for (const name of readdirSync(root).filter(isStale)) removeIfEmpty(join(root, name))
  const path = join(root, testNames().instance)
  mkdirSync(path)
  return {
    prefix: ['sh', '-ec', 'echo $$ > "$0/cgroup.procs"; exec "$@"', path],
    kernelBytes: () => Number(bytes.exec(readFileSync(join(path, file), 'utf8'))?.[1]),
    [Symbol.dispose]: () => rmdirSync(path),
  }
}

/** What a killed run has started may still be in its group. */
function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
  }
}
