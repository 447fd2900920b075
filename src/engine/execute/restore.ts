/** Taking back what was done when it cannot be finished, and tidying up when it was. */
import { readLive } from '../live/read.ts'
import type { LiveTables } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { LiveState } from '../model/live.ts'
import type { OnStep, World } from './world.ts'

/** How to take back each thing that was done, in the order in which they were done. */
export type Undo = (() => void)[]

/** Newest first. A step that fails stops it: those before it may rely on it. */
export function runUndo(undo: Undo): void {
  while (undo.length > 0) undo.pop()?.()
}

/** Undoes what was done and reads the old state back; the error to end with. */
export function restore(
  world: World,
  before: LiveTables,
  undo: Undo,
  what: 'apply' | 'rollback',
  error: unknown,
): LbError {
  const why = messageOf(error)
  const old = before.live.generation
  const serving = old === 0 ? 'nothing is applied, as before' : `generation ${old} serves`
  try {
    runUndo(undo)
    const { live } = readLive(world.kernel, world.host, world.instance, world.paths)
    if (!servesLike(live, before.live)) {
      throw new LbError('state', 'what is live now differs from what was live before')
    }
  } catch (second) {
    const both = `the ${what} failed (${why}) and the old state could not be restored: ${messageOf(second)}`
    return new LbError('apply-broken', both, {
      hint: '`lb plan` shows what is live; `lb rollback` and `lb apply` repair it',
      cause: error,
    })
  }
  const hint = error instanceof LbError ? error.hint : undefined
  const options = hint === undefined ? { cause: error } : { cause: error, hint }
  const message = error instanceof LbError && error.code === 'host' ? why : `the ${what} failed: ${why}`
  return new LbError('apply-failed', `${message}; ${serving}, verified`, options)
}

/**
 * The same tables, and no drift that was not there. Drift may have gone: hooks that were put right on the
 * way stay so. Programs may have been upgraded.
 */
function servesLike(now: LiveState, before: LiveState): boolean {
  const known = new Set(before.drift.map(({ address }) => address))
  return (
    now.generation === before.generation &&
    JSON.stringify(now.deployment) === JSON.stringify(before.deployment) &&
    now.drift.every(({ address }) => known.has(address))
  )
}

/** What is wanted serves already: cleaning up that fails is left to the next command. */
export function tidyUp(onStep: OnStep, work: () => string | undefined): void {
  try {
    const done = work()
    if (done !== undefined) onStep('prune', done)
  } catch (error) {
    onStep('prune', `left for the next command to clean up: ${messageOf(error)}`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
