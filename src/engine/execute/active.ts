/** The generation that serves, as writers of what changes at run time need it. */
import { readActiveSlot, generationFolders, readManifest } from '../live/generations.ts'
import { SLOT_NONE } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { World } from './world.ts'

export interface ActiveGeneration {
  /** The folder of its pins. */
  readonly path: string
  readonly deployment: Deployment
}

/** Manifests are frozen, and no other map gets the same id while the host runs. */
const manifests = new WeakMap<World, { readonly id: number; readonly deployment: Deployment }>()

/**
 * `undefined` where nothing is applied.
 * @throws LbError `state` where it cannot be told what was applied
 */
export function activeGeneration(world: World): ActiveGeneration | undefined {
  const { kernel, host, paths } = world
  const slot = readActiveSlot(kernel, paths, SLOT_NONE)
  if (slot === undefined) return undefined
  const folder = generationFolders(kernel, paths).find(({ header }) => header?.slot === slot)
  using manifest = folder && kernel.openMap(`${folder.path}/manifest`)
  if (!folder || !manifest) {
    throw new LbError('state', `no generation under ${paths.generations} owns the active slot ${slot}`, {
      hint: '`lb plan` shows what is damaged, `lb apply` repairs it',
    })
  }
  const { id } = manifest.info
  const known = manifests.get(world)
  if (known?.id === id) return { path: folder.path, deployment: known.deployment }
  const { deployment } = readManifest(kernel, host, folder.path)
  manifests.set(world, { id, deployment })
  return { path: folder.path, deployment }
}
