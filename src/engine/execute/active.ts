/** The generation that serves, as writers of what changes at run time need it. */
import { folderInSlot, readActiveSlot, readManifest } from '../live/generations.ts'
import { SLOT_NONE } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { World } from './world.ts'

export interface ActiveGeneration {
  /** The folder of its pins. */
  readonly path: string
  readonly deployment: Deployment
}

/**
 * `undefined` where nothing is applied.
 * @throws LbError `state` where it cannot be told what was applied
 */
export function activeGeneration(world: World): ActiveGeneration | undefined {
  const { kernel, host, paths } = world
  const slot = readActiveSlot(kernel, paths, SLOT_NONE)
  if (slot === undefined) return undefined
  const folder = folderInSlot(kernel, paths, slot)
  if (!folder) {
    throw new LbError('state', `no generation under ${paths.generations} owns the active slot ${slot}`, {
      hint: '`lb plan` shows what is damaged, `lb apply` repairs it',
    })
  }
  return { path: folder.path, deployment: readManifest(kernel, host, folder.path).deployment }
}
