/**
 * Carries a plan out: stage, verify, attach, flip, check, prune. The flip is one write of one number;
 * before it packets see the old generation, after it the new one. Whatever fails, one of them serves.
 */
import { compile, numberDeployment } from '../abi/compile.ts'
import type { CounterRows } from '../abi/compile.ts'
import { sameLists } from '../abi/numbering.ts'
import { requireCapacity } from '../live/capacity.ts'
import { generationFolders } from '../live/generations.ts'
import { linkDrift } from '../live/links.ts'
import type { Manifest } from '../live/manifest.ts'
import { readLive, SLOT_NONE } from '../live/read.ts'
import type { LiveTables } from '../live/read.ts'
import type { Confirmation, ConfirmationKind } from '../model/confirmation.ts'
import { LbError } from '../model/errors.ts'
import { familyOf } from '../model/ip.ts'
import type { RolloutRecord } from '../model/live.ts'
import type { ExecutablePlan } from '../model/plan.ts'
import type { Deployment } from '../model/snapshot.ts'
import { staleness } from '../plan/stale.ts'
import { activate, reactivate, rehearse } from './activate.ts'
import { ensureAttached } from './attach.ts'
import { bootstrap } from './bootstrap.ts'
import { refuseUnconfirmed, replaceConfirmation } from './confirm.ts'
import { ensureConnTables, fitConnTables } from './conn-tables.ts'
import { allocateCounters, readCounters } from './counters.ts'
import type { Counters } from './counters.ts'
import { removePins } from './destroy.ts'
import { forgetTargets } from './forget.ts'
import { ZERO_KEY } from './keys.ts'
import { logTransition } from './log-weights.ts'
import { nameGeneration, prune, removeGeneration } from './prune.ts'
import { recover } from './recover.ts'
import { endAtOnce, writeRemovals } from './removals.ts'
import { restore, runUndo, tidyUp } from './restore.ts'
import type { Undo } from './restore.ts'
import { freeSlot, stage, verifyStaged } from './stage.ts'
import type { Shareable, StagedGeneration } from './stage.ts'
import { takeBackRows } from './take-back.ts'
import { upgradePrograms } from './upgrade.ts'
import { ensureRuntimeMaps, targetCount } from './runtime-maps.ts'
import type { OnStep, World } from './world.ts'

export interface ApplyOptions {
  /** Generations that stay loaded, the active one among them: 1 to LB_SLOTS - 1. */
  readonly keep: number
  /** All but the flip; what was staged is removed again. */
  readonly dryRun: boolean
  readonly onStep: OnStep
  /** Where it is not what somebody wanted: see Provenance. */
  readonly cause?: 'dns'
  /** Of a step of a rollout. */
  readonly rollout?: RolloutRecord
  /** The new generation goes by itself, unless it is confirmed in time. */
  readonly guarded?: Guarded
  /** Keeps a generation that is yet to be confirmed, where it is refused otherwise. */
  readonly force?: boolean
}

export interface Guarded {
  readonly kind: ConfirmationKind
  /** By when, in milliseconds of the monotonic clock; asked just before the flip. */
  readonly deadline: () => number
  /** Called between writing that down and the flip, for whoever is to see to it. */
  readonly onArmed: (confirmation: Confirmation) => void
}

export interface ApplyResult {
  /** The generation that serves now. */
  readonly generation: number
  readonly previous: number
  readonly sharedTables: number
  readonly dryRun: boolean
  readonly confirmation: Confirmation | undefined
}

/** Runs under the lock. @throws LbError `stale`, `apply-failed`, `apply-broken`, or what stopped it before it began. */
export function apply(world: World, plan: ExecutablePlan, options: ApplyOptions): ApplyResult {
  const { kernel, host, instance, paths } = world
  for (const done of recover(world)) options.onStep('recover', done)
  const before = readLive(kernel, host, instance, paths)
  if (before.live.fingerprint !== plan.plan.live.fingerprint) throw staleness(plan, before.live)
  if (!options.dryRun && options.force !== true) refuseUnconfirmed(world)
  requireCapacity(kernel, paths, plan.desired)
  const undo: Undo = []
  try {
    return carryOut(world, plan, before, options, undo)
  } catch (error) {
    throw restore(world, before, undo, 'apply', error)
  }
}

function carryOut(
  world: World,
  plan: ExecutablePlan,
  before: LiveTables,
  options: ApplyOptions,
  undo: Undo,
): ApplyResult {
  const { onStep } = options
  const known = prepare(world, plan.desired, options, undo)
  const counters = allocateCounters(world, plan.desired, known, options.dryRun)
  const staged = stageGeneration(world, plan, before, counters, options, undo)
  const size = Object.values(staged.images).reduce((sum, { count }) => sum + count, 0)
  onStep('stage', `generation ${staged.number}: ${size} entries, ${staged.shared} tables unchanged`)
  verifyStaged(world, staged)
  const candidate = { slot: staged.slot, path: world.paths.staged(staged.number), deployment: plan.desired }
  rehearse(world, candidate)
  onStep('verify', 'every table reads back as written')
  const hooks = ensureAttached(world, plan.desired.attachments, undo)
  onStep('attach', hooks === 0 ? 'nothing to attach' : `${hooks} hooks`)
  const previous = before.live.generation
  if (options.dryRun) {
    runUndo(undo)
    return {
      generation: previous,
      previous,
      sharedTables: staged.shared,
      dryRun: true,
      confirmation: undefined,
    }
  }
  const confirmation = arm(world, staged.number, previous, options, undo)
  const hurry = writeRemovals(world, before.live, candidate, onStep)
  undo.push(() => reactivate(world, before))
  activate(world, candidate)
  onStep('flip', `generation ${staged.number} serves`)
  checkServing(world, staged, plan.desired)
  onStep('check', 'programs are attached and see it')
  undo.length = 0
  if (hurry) endAtOnce(world, onStep)
  finish(
    world,
    staged,
    before,
    plan.desired,
    confirmation ? { ...options, keep: Math.max(2, options.keep) } : options,
  )
  return { generation: staged.number, previous, sharedTables: staged.shared, dryRun: false, confirmation }
}

/** Writes down by when the generation that is about to serve has to be confirmed, or that none has to. */
function arm(
  world: World,
  generation: number,
  previous: number,
  { guarded }: ApplyOptions,
  undo: Undo,
): Confirmation | undefined {
  const confirmation = guarded && {
    generation,
    previous,
    deadline: guarded.deadline(),
    kind: guarded.kind,
  }
  replaceConfirmation(world, confirmation, undo)
  if (confirmation) guarded.onArmed(confirmation)
  return confirmation
}

/**
 * What outlives generations: the instance itself, programs of this version, room, tables of a new
 * family. A dry run only tries whether the programs load.
 */
function prepare(world: World, desired: Deployment, { dryRun, onStep }: ApplyOptions, undo: Undo): Counters {
  const { kernel, paths } = world
  if (!kernel.fs.list(paths.root)?.includes('active')) {
    undo.push(() => removePins(world))
    bootstrap(world, numberDeployment(desired).backends.length, desired.snapshot.settings.maxConnections)
    onStep('prepare', `made instance ${world.instance}`)
  }
  const counters = takeBackRows(world, readCounters(world, desired), dryRun)
  const upgraded = upgradePrograms(world, counters.taken.length + counters.missing, dryRun)
  if (upgraded) onStep('prepare', upgraded)
  const families = new Set(
    desired.snapshot.proxies.map(({ defaultTarget }) => familyOf(defaultTarget[0]?.ip ?? '')),
  )
  if (families.has('ipv4')) ensureConnTables(world, 4, undo)
  if (families.has('ipv6')) ensureConnTables(world, 6, undo)
  if (!dryRun) ensureRuntimeMaps(world, targetCount(desired))
  const fitted = dryRun ? undefined : fitConnTables(world, desired.snapshot.settings.maxConnections)
  if (fitted) onStep('prepare', fitted)
  return counters
}

function stageGeneration(
  world: World,
  plan: ExecutablePlan,
  before: LiveTables,
  counters: CounterRows,
  { cause, rollout }: ApplyOptions,
  undo: Undo,
): StagedGeneration {
  const { kernel, host, paths } = world
  const folders = generationFolders(kernel, paths)
  const number = Math.max(0, ...folders.map((folder) => folder.number)) + 1
  const slot = freeSlot(new Set(folders.map(({ header }) => header?.slot ?? SLOT_NONE)))
  const manifest: Omit<Manifest, 'digests'> = {
    provenance: {
      number,
      slot,
      // Going back is to what somebody wanted before, not to older addresses of the same.
      replaced: cause === 'dns' ? (before.folder?.header?.replaced ?? 0) : before.live.generation,
      createdAt: host.now(),
      user: host.user,
      sources: plan.sources,
      configHash: plan.configHash,
      summary: plan.plan.summary,
      ...(cause && { cause }),
      ...(rollout && { rollout }),
    },
    deployment: plan.desired,
    counters,
  }
  const path = paths.staged(number)
  undo.push(() =>
    removeGeneration(world, {
      number,
      staged: true,
      path,
      header: { number, slot, replaced: 0, headLength: 0, bodyLength: 0 },
    }),
  )
  return stage(world, manifest, compile(plan.desired, counters), shareable(before, plan.desired))
}

/**
 * The running tables. That of selection only where it belongs to the same lists of the same proxies: otherwise
 * what becomes known of a target of one generation would change the other one.
 */
function shareable({ live, folder, digests }: LiveTables, desired: Deployment): Shareable | undefined {
  if (!folder || !digests) return undefined
  const same = live.applied !== undefined && sameLists(live.applied, desired)
  return { folder: folder.path, digests: same ? digests : { ...digests, selection: '' } }
}

function checkServing({ kernel, paths }: World, staged: StagedGeneration, desired: Deployment): void {
  using active = kernel.openMap(paths.active)
  const value = active?.lookup(ZERO_KEY)
  const slot = value && new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  if (slot !== staged.slot) throw new LbError('kernel', `the active slot is ${slot}, not ${staged.slot}`)
  const wrong = linkDrift(kernel, paths, desired.attachments)
  if (wrong.length > 0) {
    throw new LbError('kernel', `not attached as planned: ${wrong.map(({ address }) => address).join(', ')}`)
  }
}

function finish(
  world: World,
  staged: StagedGeneration,
  { live }: LiveTables,
  desired: Deployment,
  { keep, onStep }: ApplyOptions,
): void {
  tidyUp(onStep, () => {
    nameGeneration(world, staged.number)
    if (live.applied) logTransition(world, live.applied, desired)
    const gone = prune(world, staged.slot, keep)
    const forgotten = forgetTargets(world, desired)
    const removed = [
      ...(gone.length === 0 ? [] : [`generations ${gone.join(', ')}`]),
      ...(forgotten === 0 ? [] : [`what was known of ${forgotten} targets`]),
    ]
    return removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(' and ')}`
  })
}
