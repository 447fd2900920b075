/** Goes back from generations that nobody confirms in time, where the guard that their apply started was killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { goBackIfDue } from '../engine/execute/confirm.ts'
import { withLock } from '../engine/execute/lock.ts'
import type { World } from '../engine/execute/world.ts'
import { confirmationOfServing, readConfirmation } from '../engine/live/confirmation.ts'
import type { Confirmation } from '../engine/model/confirmation.ts'
import { LbError } from '../engine/model/errors.ts'
import type { Log } from './log.ts'

const LOOK_MS = 250
const LOCK_RETRY_MS = 20
/** After a failure, which is told once. */
const RETRY_MS = 5000

export function keepConfirmations(world: World, log: Log): Disposable {
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let told: string | undefined
  const next = (ms: number): void => {
    if (!closed) timer = setTimeout(() => void look(), ms)
  }
  const look = async (): Promise<void> => {
    const due = dueHere(world)
    if (!due) {
      next(LOOK_MS)
      return
    }
    try {
      await goBack(due)
      told = undefined
      next(LOOK_MS)
    } catch (error) {
      if (!(error instanceof LbError)) throw error
      const { generation } = due
      if (told !== error.message) {
        log.error('confirm', `cannot go back from generation ${generation}: ${error.message}`, { generation })
      }
      told = error.message
      next(RETRY_MS)
    }
  }
  const goBack = async ({ generation, kind }: Confirmation): Promise<void> => {
    const pause = async (): Promise<void> => {
      await sleep(LOCK_RETRY_MS)
      if (closed) throw new LbError('locked', 'stopped while another process held the lock')
    }
    const gone = await withLock(world, { wait: true, onWait: () => undefined, pause }, () =>
      goBackIfDue(world, world.host.monotonicMs(), (step, detail) =>
        log.debug('confirm', `${step}: ${detail}`, { step }),
      ),
    )
    if (!gone) return
    const why = kind === 'asked' ? 'nobody confirmed it in time' : 'who watched it is gone'
    const now = gone.to === 0 ? 'nothing serves' : `generation ${gone.to} serves`
    log.warn('confirm', `went back from generation ${generation}: ${why}; ${now}`, {
      from: gone.from,
      to: gone.to,
    })
  }
  next(LOOK_MS)
  return {
    [Symbol.dispose]() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** The pin first: most of the time there is none. */
function dueHere({ kernel, host, paths }: World): Confirmation | undefined {
  try {
    const pinned = readConfirmation(kernel, paths)
    if (!pinned || host.monotonicMs() < pinned.deadline) return undefined
    return confirmationOfServing(kernel, paths)
  } catch (error) {
    if (error instanceof LbError) return undefined
    throw error
  }
}
