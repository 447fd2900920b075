/** Takes everything of an instance down, also a damaged one. */
import { LbError } from '../model/errors.ts'
import { SLOT_NONE } from '../live/read.ts'
import { detachOthers } from './attach.ts'
import { setActive } from './bootstrap.ts'
import type { OnStep, World } from './world.ts'

/**
 * Runs under the lock. Traffic ends with the first step, one write after which nothing is applied;
 * killed in between, it can be run again, and so can apply.
 */
export function destroy(world: World, onStep: OnStep): void {
  deactivate(world)
  const detached = detachOthers(world, new Set())
  onStep('prune', `detached ${detached.length} programs`)
  removePins(world)
  removeFolder(world, onStep)
}

/** As far as it can be done: a damaged instance has to go too. */
function deactivate(world: World): void {
  try {
    setActive(world, SLOT_NONE)
  } catch (error) {
    if (!(error instanceof LbError) && !(error instanceof RangeError)) throw error
  }
}

/**
 * All that is in the instance's folder. First the generations, then `active`: without it there is no
 * instance, and what else is left of one is swept away by the next command.
 */
export function removePins({ kernel, paths }: World): void {
  kernel.fs.remove(paths.generations)
  kernel.fs.remove(paths.active)
  for (const name of kernel.fs.list(paths.root) ?? []) kernel.fs.remove(paths.map(name))
}

/** A user who was given the folder may empty it, but not take it away. */
function removeFolder({ kernel, paths }: World, onStep: OnStep): void {
  try {
    kernel.fs.remove(paths.root)
    onStep('prune', `removed ${paths.root}`)
  } catch (error) {
    if (!(error instanceof LbError) || error.code !== 'host') throw error
    onStep('prune', `emptied ${paths.root}, whose parent is another user's`)
  }
}
