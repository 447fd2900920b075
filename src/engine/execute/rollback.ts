/** Back, or forth, to a generation that is still loaded: one flip where everything it needs is still there. */
import { digestTables } from '../live/digests.ts'
import { driftOfLoaded } from '../live/applied.ts'
import { readTables } from '../live/read.ts'
import { generationFolders, readManifest } from '../live/generations.ts'
import type { GenerationFolder } from '../live/generations.ts'
import type { Manifest } from '../live/manifest.ts'
import { readLive } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { LiveState } from '../model/live.ts'
import type { Change, Drift } from '../model/plan.ts'
import { resourcesOf } from '../model/resource.ts'
import { diff } from '../plan/diff.ts'
import { differing } from '../plan/differing.ts'
import { linkDrift } from '../live/links.ts'
import { activate, reactivate } from './activate.ts'
import { ensureAttached } from './attach.ts'
import { detachUnneeded } from './prune.ts'
import { recover } from './recover.ts'
import { restore, tidyUp } from './restore.ts'
import type { Undo } from './restore.ts'
import type { OnStep, World } from './world.ts'

export interface RollbackResult {
  readonly from: number
  readonly to: number
  readonly changes: readonly Change[]
}

/** Runs under the lock. `to` is a generation's number; without it, the one that served before the active one. */
export function rollback(world: World, to: number | undefined, onStep: OnStep): RollbackResult {
  const { kernel, host, instance, paths } = world
  for (const done of recover(world)) onStep('recover', done)
  const before = readLive(kernel, host, instance, paths)
  const { live } = before
  const folder = chooseGeneration(world, live, to)
  const header = folder.header
  if (!header) throw new LbError('state', `generation ${folder.number} has no readable manifest`)
  const manifest = readManifest(kernel, host, folder.path)
  verifyLoaded(world, folder, header.slot, manifest)
  onStep('verify', `generation ${folder.number} reads back as it was applied`)
  const [left, right] = differing(live.deployment, manifest.deployment)
  const changes = diff(resourcesOf(left), resourcesOf(right))
  const undo: Undo = []
  try {
    ensureAttached(world, manifest.deployment.attachments, undo)
    undo.push(() => reactivate(world, before))
    activate(world, { slot: header.slot, path: folder.path, deployment: manifest.deployment })
    onStep('flip', `generation ${folder.number} serves`)
    const wrong = linkDrift(kernel, paths, manifest.deployment.attachments)
    if (wrong.length > 0)
      throw new LbError('kernel', `not attached: ${wrong.map((d) => d.address).join(', ')}`)
  } catch (error) {
    throw restore(world, before, undo, 'rollback', error)
  }
  onStep('check', 'programs are attached and see it')
  tidyUp(onStep, () => {
    const detached = detachUnneeded(world, header.slot)
    return detached.length === 0 ? undefined : `detached ${detached.join(', ')}`
  })
  return { from: live.generation, to: folder.number, changes }
}

function chooseGeneration(
  { kernel, paths }: World,
  live: LiveState,
  to: number | undefined,
): GenerationFolder {
  if (live.generation === 0) throw new LbError('input', `nothing is applied on instance ${live.instance}`)
  const folders = generationFolders(kernel, paths).filter(({ staged }) => !staged)
  const loaded = folders.map(({ number }) => number).join(', ')
  const replaced = folders.find(({ number }) => number === live.generation)?.header?.replaced
  const number = to ?? replaced ?? 0
  const wanted = folders.find((folder) => folder.number === number)
  if (!wanted) {
    const what = number === 0 ? 'nothing served before it' : `generation ${number} is no longer loaded`
    throw new LbError('input', `cannot go back from generation ${live.generation}: ${what}`, {
      hint: `loaded: ${loaded}; \`lb history\` lists them, --to names one`,
    })
  }
  if (wanted.number === live.generation)
    throw new LbError('input', `generation ${wanted.number} serves already`)
  return wanted
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
