/** Makes a generation that is still loaded serve, or none: one flip where everything it needs is still there. */
import { driftOfLoaded } from '../live/applied.ts'
import { digestTables } from '../live/digests.ts'
import { generationFolders, readManifest } from '../live/generations.ts'
import type { GenerationFolder } from '../live/generations.ts'
import { linkDrift } from '../live/links.ts'
import type { Manifest } from '../live/manifest.ts'
import { readTables, SLOT_NONE } from '../live/read.ts'
import type { LiveTables } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../model/live.ts'
import type { Change, Drift } from '../model/plan.ts'
import { resourcesOf } from '../model/resource.ts'
import type { Deployment } from '../model/snapshot.ts'
import { diff } from '../plan/diff.ts'
import { differing } from '../plan/differing.ts'
import { activate, reactivate } from './activate.ts'
import { detachOthers, ensureAttached } from './attach.ts'
import { setActive } from './bootstrap.ts'
import { logTransition } from './log-weights.ts'
import { detachUnneeded } from './prune.ts'
import { endAtOnce, writeRemovals } from './removals.ts'
import { restore, tidyUp } from './restore.ts'
import type { Undo } from './restore.ts'
import type { OnStep, World } from './world.ts'

export interface RollbackResult {
  readonly from: number
  /** 0: none. */
  readonly to: number
  readonly changes: readonly Change[]
}

/** Runs under the lock; `before` is what is live. @throws LbError `input` where the generation is not loaded */
export function goTo(world: World, before: LiveTables, number: number, onStep: OnStep): RollbackResult {
  if (number === 0) return stopServing(world, before, onStep)
  const { kernel, host, paths } = world
  const { live } = before
  const folder = findGeneration(world, number)
  const header = folder.header
  if (!header) throw new LbError('state', `generation ${number} has no readable manifest`)
  const manifest = readManifest(kernel, host, folder.path)
  verifyLoaded(world, folder, header.slot, manifest)
  onStep('verify', `generation ${number} reads back as it was applied`)
  const undo: Undo = []
  let hurry: boolean
  try {
    ensureAttached(world, manifest.deployment.attachments, undo)
    const candidate = { slot: header.slot, path: folder.path, deployment: manifest.deployment }
    hurry = writeRemovals(world, live, candidate, onStep)
    undo.push(() => reactivate(world, before))
    activate(world, candidate)
    onStep('flip', `generation ${number} serves`)
    const wrong = linkDrift(kernel, paths, manifest.deployment.attachments)
    if (wrong.length > 0)
      throw new LbError('kernel', `not attached: ${wrong.map((d) => d.address).join(', ')}`)
  } catch (error) {
    throw restore(world, before, undo, 'rollback', error)
  }
  onStep('check', 'programs are attached and see it')
  if (hurry) endAtOnce(world, onStep)
  tidyUp(onStep, () => {
    if (live.applied) logTransition(world, live.applied, manifest.deployment)
    const detached = detachUnneeded(world, header.slot)
    return detached.length === 0 ? undefined : `detached ${detached.join(', ')}`
  })
  return { from: live.generation, to: number, changes: changesTo(before, manifest.deployment) }
}

/** As before the first apply, but that its generation stays loaded. */
function stopServing(world: World, before: LiveTables, onStep: OnStep): RollbackResult {
  setActive(world, SLOT_NONE)
  onStep('flip', 'nothing serves')
  tidyUp(onStep, () => {
    const detached = detachOthers(world, new Set())
    return detached.length === 0 ? undefined : `detached ${detached.join(', ')}`
  })
  return { from: before.live.generation, to: 0, changes: changesTo(before, EMPTY_DEPLOYMENT) }
}

function changesTo({ live }: LiveTables, deployment: Deployment): Change[] {
  const [left, right] = differing(live.deployment, deployment)
  return diff(resourcesOf(left), resourcesOf(right))
}

function findGeneration({ kernel, paths }: World, number: number): GenerationFolder {
  const found = generationFolders(kernel, paths).find((folder) => !folder.staged && folder.number === number)
  if (found) return found
  throw new LbError('input', `generation ${number} is no longer loaded`, {
    hint: '`lb history` lists those that are',
  })
}

/** @throws LbError `state` where the stored tables are no longer what was applied. */
function verifyLoaded(world: World, folder: GenerationFolder, slot: number, manifest: Manifest): void {
  const structural: Drift[] = []
  const images = readTables(world.kernel, world.paths, folder, slot, structural)
  const drift = [...structural, ...driftOfLoaded(manifest, images, digestTables(images, world.host))]
  if (drift.length === 0) return
  const names = drift.slice(0, 5).map(({ address }) => address)
  throw new LbError(
    'state',
    `generation ${folder.number} was changed since it was applied: ${names.join(', ')}`,
    {
      hint: 'choose another one with --to, or apply its configuration again',
    },
  )
}
