/**
 * Applies what names have come to stand for, to whatever configuration serves: the same atomic apply as all,
 * under the same lock. What serves and the names are compared as they are, not by what changed, so that a
 * failed apply is made good by the next answer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { apply } from '../engine/execute/apply.ts'
import { withLock } from '../engine/execute/lock.ts'
import { LbError } from '../engine/model/errors.ts'
import type { HostAddresses } from '../engine/model/resolution.ts'
import type { Log } from './log.ts'
import type { DaemonWorld } from './ports.ts'

export interface Renamer {
  /** Names or what serves may have changed. */
  readonly check: () => void
  readonly close: () => Promise<void>
}

export interface RenamerOptions {
  readonly daemon: DaemonWorld
  readonly log: Log
  readonly keep: number
  readonly addresses: () => HostAddresses
  /** What serves is what the files say, so names of the files count that have had no address so far. */
  readonly inSync: () => boolean
  readonly onApplied: (generation: number) => void
}

export function makeRenamer({ daemon, log, keep, addresses, inSync, onApplied }: RenamerOptions): Renamer {
  const { world, planner } = daemon
  let work: Promise<void> | undefined
  let again = false
  let closed = false
  let failure = ''

  const applyOnce = async (): Promise<void> => {
    // Most often nothing has changed: that is found out without the lock.
    if (!planner.rename(addresses(), inSync())) return
    const pause = async (): Promise<void> => {
      await sleep(20)
      if (closed) throw new LbError('locked', 'stopped')
    }
    await withLock(world, { wait: true, onWait: () => undefined, pause }, () => {
      const plan = planner.rename(addresses(), inSync())
      if (!plan) return
      const onStep = (step: string, detail: string): void =>
        log.debug('apply', `${step}: ${detail}`, { step })
      const { generation } = apply(world, plan, { keep, dryRun: false, onStep, cause: 'dns' })
      onApplied(generation)
      log.info('reload', `generation ${generation} serves, because names have other addresses`, {
        ...{ trigger: 'dns', outcome: 'applied', generation },
        ...{
          summary: plan.plan.summary,
          changes: plan.plan.changes.slice(0, 20).map(({ address }) => address),
        },
      })
    })
    failure = ''
  }
  const attempt = async (): Promise<void> => {
    try {
      await applyOnce()
    } catch (error) {
      if (!(error instanceof LbError)) throw error
      if (error.message !== failure && !closed) {
        log.warn('reload', `names have other addresses, which cannot be applied: ${error.message}`, {
          trigger: 'dns',
          outcome: 'failed',
        })
      }
      failure = error.message
    }
  }
  const start = (): void => {
    again = false
    work = attempt().then(() => {
      work = undefined
      if (again && !closed) start()
    })
  }
  return {
    check() {
      if (closed) return
      if (work) again = true
      else start()
    },
    async close() {
      closed = true
      await work
    },
  }
}
