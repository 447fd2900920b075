/** Generations that are to be confirmed, as commands see them. */
import { confirmGeneration, goBackIfDue } from '../engine/execute/confirm.ts'
import type { World } from '../engine/execute/world.ts'
import { confirmationOfServing } from '../engine/live/confirmation.ts'
import { pendingConfirmation } from '../engine/model/confirmation.ts'
import type { Confirmation, PendingConfirmation } from '../engine/model/confirmation.ts'
import { renderStep } from '../render/steps.ts'
import { locked } from './locking.ts'

/** Of the generation that serves; `null` where it is not to be confirmed. */
export function pendingHere({ kernel, paths, host }: World): PendingConfirmation | null {
  const found = confirmationOfServing(kernel, paths)
  return found ? pendingConfirmation(found, host.clocks()) : null
}

interface Locking {
  readonly noWait: boolean
  readonly note: (text: string) => void
}

/** Keeps the generation that serves. */
export function confirmServing(world: World, locking: Locking): Promise<Confirmation> {
  return locked(world, locking, () =>
    confirmGeneration(world, world.host.monotonicMs(), (step, detail) =>
      locking.note(renderStep(step, detail)),
    ),
  )
}

/** Goes back where the time is up and nobody has seen to it: whoever was to may have been killed. */
export async function settleOverdue(world: World, { noWait, note }: Locking): Promise<void> {
  const found = confirmationOfServing(world.kernel, world.paths)
  if (!found || world.host.monotonicMs() < found.deadline) return
  await locked(world, { noWait, note }, () => {
    const gone = goBackIfDue(world, world.host.monotonicMs(), (step, detail) =>
      note(renderStep(step, detail)),
    )
    if (gone) note(`Nobody confirmed generation ${gone.from} in time: went back.`)
  })
}
