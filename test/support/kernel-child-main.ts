/** What a child of `kernel-child.ts` runs: one scenario on the real kernel, in the child's network namespace. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { LbError } from '../../src/engine/model/errors.ts'
import type { Hook } from '../../src/engine/ports/kernel.ts'
import { createKernel } from '../../src/kernel/kernel.ts'
import type { ChildTask } from './kernel-child.ts'
import { SCENARIOS } from './kernel-scenarios.ts'

const task = JSON.parse(process.argv[2] ?? '') as ChildTask
const kernel = createKernel({ objectPath: task.objectPath, tcx: task.tcx })
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

/** Holds the lock until standard input ends. */
async function holdLock(path: string): Promise<void> {
  const lock = kernel.tryLock(path)
  say({ locked: lock !== undefined })
  process.stdin.resume()
  await once(process.stdin, 'end')
  lock?.[Symbol.dispose]()
}

/** What each kind of call says to a user without rights. The addon is loaded before they are given up. */
function withoutRights(folder: string): unknown {
  process.setgroups?.([])
  process.setgid?.(65534)
  process.setuid?.(65534)
  const spec = { type: 'hash', name: 'm', keySize: 4, valueSize: 4, maxEntries: 1, flags: [] } as const
  const calls: Record<string, () => unknown> = {
    list: () => kernel.fs.list(folder),
    makeDirectory: () => kernel.fs.makeDirectory(`${folder}/a`),
    createMap: () => kernel.createMap(spec),
    openMap: () => kernel.openMap(`${folder}/map`),
    loadDataPlane: () =>
      kernel.loadDataPlane({
        reuse: {},
        maxEntries: {},
        connections: { current: 0, partitions: 8, otherPartitions: 0 },
      }),
    tryLock: () => kernel.tryLock(folder),
  }
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => {
      try {
        call()
        return [name, 'no error']
      } catch (error) {
        if (!(error instanceof LbError)) throw error
        return [name, { code: error.code, hint: error.hint }]
      }
    }),
  )
}

if (task.name === 'holdLock') await holdLock(task.folder)
else if (task.name === 'withoutRights') say(withoutRights(task.folder))
else {
  const removeInterface = (name: string): void => void execFileSync('ip', ['link', 'delete', name])
  say(SCENARIOS[task.name]({ kernel, folder: task.folder, removeInterface }, task.hooks as readonly Hook[]))
}
