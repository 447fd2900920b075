/** One writer at a time for each instance. The lock is the kernel's and dies with its holder. */
import { LbError } from '../model/errors.ts'
import type { LockHolder } from '../ports/kernel.ts'
import type { World } from './world.ts'

export interface LockOptions {
  /** False: fail at once where another process holds it. */
  readonly wait: boolean
  readonly onWait: (holder: LockHolder | undefined) => void
  /** Resolves after a moment; the caller owns the clock. */
  readonly pause: () => Promise<void>
}

/** @throws LbError `locked` where another process holds the lock and `wait` is false. */
export async function withLock<T>(
  world: World,
  options: LockOptions,
  work: () => T | Promise<T>,
): Promise<T> {
  const { kernel, paths } = world
  let told = false
  let made = false
  for (;;) {
    made ||= kernel.fs.list(paths.root) === undefined
    kernel.fs.makeDirectory(paths.root)
    const lock = kernel.tryLock(paths.root)
    if (lock) {
      try {
        return await work()
      } finally {
        // A folder that was made for its lock and holds nothing.
        if (made && kernel.fs.list(paths.root)?.length === 0) kernel.fs.remove(paths.root)
        lock[Symbol.dispose]()
      }
    }
    const holder = kernel.lockHolder(paths.root)
    if (!options.wait) throw lockedError(world, holder)
    if (!told) options.onWait(holder)
    told = true
    await options.pause()
  }
}

export function describeHolder(holder: LockHolder | undefined): string {
  if (!holder) return 'another process'
  const { pid, command, user, since } = holder
  return `process ${pid} (${command}${user ? `, user ${user}` : ''}${since ? `, since ${since}` : ''})`
}

function lockedError({ instance }: World, holder: LockHolder | undefined): LbError {
  return new LbError('locked', `instance ${instance} is being changed by ${describeHolder(holder)}`, {
    hint: 'wait for it to end, or leave out --no-wait',
  })
}
