/** Takes everything of an instance down, also a damaged one. */
import { LbError } from '../model/errors.ts'
import { detachOthers } from './attach.ts'
import type { OnStep, World } from './world.ts'

/** Runs under the lock. Traffic ends with the first step; killed in between, it can be run again. */
export function destroy(world: World, onStep: OnStep): void {
  const detached = detachOthers(world, new Set())
  onStep('prune', `detached ${detached.length} programs`)
  removePins(world)
  removeFolder(world, onStep)
}

/** All that is in the instance's folder; `active`, without which there is no instance, last. */
export function removePins({ kernel, paths }: World): void {
  const names = kernel.fs.list(paths.root) ?? []
  for (const name of names.filter((pin) => pin !== 'active')) kernel.fs.remove(paths.map(name))
  kernel.fs.remove(paths.active)
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
