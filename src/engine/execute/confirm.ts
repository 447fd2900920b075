/**
 * Generations that go by themselves unless they are confirmed. What says so is pinned before the flip and names
 * the generation that is about to serve, so that it holds from the first packet on; going back is one flip, after
 * which it says nothing any more. Whoever comes by after the deadline goes back: the guard that the apply
 * started, the daemon, or the next apply.
 */
import { CONFIRM_SIZE, encodeConfirmation } from '../abi/confirm.ts'
import { confirmationOfServing, readConfirmation } from '../live/confirmation.ts'
import { readLive } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { Confirmation } from '../model/confirmation.ts'
import { goTo } from './go-back.ts'
import type { RollbackResult } from './go-back.ts'
import { ZERO_KEY } from './keys.ts'
import { recover } from './recover.ts'
import type { Undo } from './restore.ts'
import type { OnStep, World } from './world.ts'

/** Puts `next` in the place of what is waited for; `undefined`: nothing is to be confirmed any more. */
export function replaceConfirmation(world: World, next: Confirmation | undefined, undo: Undo): void {
  const before = readConfirmation(world.kernel, world.paths)
  if (!before && !next) return
  undo.push(() => writeConfirmation(world, before))
  writeConfirmation(world, next)
}

function writeConfirmation({ kernel, paths }: World, confirmation: Confirmation | undefined): void {
  if (!confirmation) {
    kernel.fs.remove(paths.confirm)
    return
  }
  const next = `${paths.confirm}-next`
  using map = kernel.createMap({
    type: 'array',
    name: 'confirm',
    keySize: 4,
    valueSize: CONFIRM_SIZE,
    maxEntries: 1,
    flags: [],
  })
  map.update(ZERO_KEY, encodeConfirmation(confirmation))
  kernel.fs.remove(next)
  map.pin(next)
  kernel.fs.rename(next, paths.confirm)
}

/** Nothing is to be confirmed any more. */
export function endConfirmation({ kernel, paths }: World): void {
  if (kernel.fs.list(paths.root)?.includes('confirm')) kernel.fs.remove(paths.confirm)
}

/** @throws LbError `refused` where the generation that serves is yet to be confirmed */
export function refuseUnconfirmed({ kernel, paths }: World): void {
  const waiting = confirmationOfServing(kernel, paths)
  if (!waiting) return
  const { generation, kind } = waiting
  const by = kind === 'asked' ? 'is yet to be confirmed' : 'is being watched by the `lb apply` that made it'
  throw new LbError('refused', `generation ${generation} ${by}; nothing was changed`, {
    hint: '`lb confirm` keeps it, `lb rollback` goes back; --force keeps it and goes on',
  })
}

/**
 * Keeps the generation that serves. Runs under the lock.
 * @param now of the monotonic clock, in milliseconds
 * @throws LbError `input` where none is to be confirmed, `refused` where it is too late: then it went back
 */
export function confirmGeneration(world: World, now: number, onStep: OnStep): Confirmation {
  const { kernel, paths, instance } = world
  for (const done of recover(world)) onStep('recover', done)
  const waiting = confirmationOfServing(kernel, paths)
  if (!waiting) {
    throw new LbError('input', `nothing is to be confirmed on instance ${instance}`, {
      hint: 'only `lb apply --confirm-within` waits for it; `lb history` lists what serves',
    })
  }
  if (goBackIfDue(world, now, onStep)) {
    const { generation, previous } = waiting
    const serving = previous === 0 ? 'nothing serves' : `generation ${previous} serves`
    throw new LbError('refused', `too late: the time to confirm generation ${generation} is up; ${serving}`, {
      hint: `\`lb rollback --to ${generation}\` brings it back`,
    })
  }
  endConfirmation(world)
  return waiting
}

/** Goes back from a generation, where that is the one that serves. Runs under the lock. */
export function goBackFrom(
  world: World,
  { generation, previous }: Pick<Confirmation, 'generation' | 'previous'>,
  onStep: OnStep,
): RollbackResult | undefined {
  const { kernel, host, instance, paths } = world
  for (const done of recover(world)) onStep('recover', done)
  const before = readLive(kernel, host, instance, paths)
  if (before.live.generation !== generation) return undefined
  const result = goTo(world, before, previous, onStep)
  endConfirmation(world)
  return result
}

/** Goes back from a generation that nobody confirmed in time. Runs under the lock. @param now as in `confirmGeneration` */
export function goBackIfDue(world: World, now: number, onStep: OnStep): RollbackResult | undefined {
  for (const done of recover(world)) onStep('recover', done)
  const waiting = confirmationOfServing(world.kernel, world.paths)
  return waiting && now >= waiting.deadline ? goBackFrom(world, waiting, onStep) : undefined
}
