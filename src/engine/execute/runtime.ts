/**
 * Changes what is known of targets at run time, and with it the entries of the generation that serves: records
 * first, then the logs of weights, then selection. A mark among the records says that selection may be behind
 * them; whoever finds one that a killed writer left brings the whole table up to date.
 */
import { numberDeployment } from '../abi/numbering.ts'
import { encodeRuntime, encodeRuntimeKey, PENDING_KEY, RUNTIME_SIZE, targetId } from '../abi/runtime.ts'
import {
  configuredSelection,
  effectiveGroup,
  effectiveSelection,
  factorsOf,
  groupsByProxy,
  keysOf,
  weighsSame,
} from '../abi/selection.ts'
import type { RuntimeOf } from '../abi/selection.ts'
import { sameBytes } from '../abi/tables.ts'
import { decodeAgain, lookupRuntime } from '../live/runtime.ts'
import { LbError } from '../model/errors.ts'
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey, TargetRuntime, WeightChange } from '../model/runtime.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import { activeGeneration } from './active.ts'
import { logWeight } from './log-weights.ts'
import { openRuntimeMap, targetCount } from './runtime-maps.ts'
import { openSelection, writeStretches } from './selection.ts'
import type { Stretch } from './selection.ts'
import type { World } from './world.ts'

export interface RuntimeUpdate {
  readonly key: TargetKey
  readonly before: TargetRuntime
  readonly after: TargetRuntime
}

/**
 * Changes the records of some targets, and at once what the packets of the active generation see of it. Returns
 * those that were changed. `change` is called under the lock, with what is known then; it must not wait.
 * @throws LbError `input` where there is no instance
 */
export function updateRuntime(
  world: World,
  keys: readonly TargetKey[],
  change: (old: TargetRuntime, key: TargetKey) => TargetRuntime,
): RuntimeUpdate[] {
  const { kernel, paths } = world
  requireInstance(world)
  using _lock = kernel.lock(paths.generations)
  const active = activeGeneration(world)
  const targets = active ? targetCount(active.deployment) : 0
  using records = openRuntimeMap(world, 'runtime', targets)
  using logs = openRuntimeMap(world, 'weight_log', targets)
  const pending = records.lookup(PENDING_KEY) !== undefined
  const updates = changesOf(records, keys, change)
  if (!active || (updates.length === 0 && !pending)) {
    writeRecords(records, updates)
    return updates
  }
  using selection = openSelection(world, active.path)
  const effect = effectOf(world, active.deployment, records, updates, pending)
  if (effect.stretches.length > 0) records.update(PENDING_KEY, new Uint8Array(RUNTIME_SIZE))
  writeRecords(records, updates)
  for (const [key, weight] of effect.weights)
    logWeight(logs, key, { ...weight, at: world.host.monotonicMs() })
  writeStretches(selection, effect.stretches)
  if (effect.stretches.length > 0) records.delete(PENDING_KEY)
  return updates
}

function requireInstance({ kernel, paths, instance }: World): void {
  using active = kernel.openMap(paths.active)
  if (!active) throw new LbError('input', `nothing is applied on instance ${instance}`)
}

function changesOf(
  records: MapPort,
  keys: readonly TargetKey[],
  change: (old: TargetRuntime, key: TargetKey) => TargetRuntime,
): RuntimeUpdate[] {
  return keys.flatMap((key) => {
    const before = lookupRuntime(records, key)
    const after = change(before, key)
    return sameBytes(encodeRuntime(before), encodeRuntime(after)) ? [] : [{ key, before, after }]
  })
}

/** What there is nothing more to say of has no record. */
function writeRecords(records: MapPort, updates: readonly RuntimeUpdate[]): void {
  const fresh = encodeRuntime(FRESH_RUNTIME)
  for (const { key, after } of updates) {
    const value = encodeRuntime(after)
    if (sameBytes(value, fresh)) records.delete(encodeRuntimeKey(key))
    else records.update(encodeRuntimeKey(key), value)
  }
}

type Weight = Omit<WeightChange, 'at'>

interface Effect {
  readonly stretches: readonly Stretch[]
  readonly weights: readonly (readonly [TargetKey, Weight])[]
}

/** What updates change of the weights and of the table: of the groups that the targets are in, or of all. */
function effectOf(
  world: World,
  deployment: Deployment,
  records: MapPort,
  updates: readonly RuntimeUpdate[],
  all: boolean,
): Effect {
  const weighty = updates.filter(({ before, after }) => !weighsSame(before, after))
  const rows = groupsOf(deployment, weighty)
  const { offsets } = configuredSelection(numberDeployment(deployment))
  const { runtimeOf, runtimes } = reader(world, deployment, records, rows, all)
  const updated = new Map(updates.map(({ key, after }) => [targetId(key), { key, runtime: after }] as const))
  const after: RuntimeOf = (id, key) => updated.get(id)?.runtime ?? runtimeOf(id, key)
  const stretches: Stretch[] = []
  const weights: (readonly [TargetKey, Weight])[] = []
  for (const row of rows) {
    const old = factorsOf(deployment, row, runtimeOf)
    const next = effectiveGroup(deployment, row, after)
    stretches.push({ first: offsets[row]!, entries: next.entries })
    for (const [i, key] of next.keys.entries()) {
      const { factor: from } = old[i]!
      const { factor: to, cause } = next.shares[i]!
      if (from !== to && isFirstList(deployment, row, key)) weights.push([key, { from, to, cause }])
    }
  }
  if (!all) return { stretches, weights }
  const whole = effectiveSelection(deployment, new Map([...runtimes(), ...updated]))
  return { stretches: [{ first: 0, entries: whole }], weights }
}

/** Rows of the groups that these targets are in, in order. */
function groupsOf(deployment: Deployment, updates: readonly RuntimeUpdate[]): number[] {
  const { groups } = numberDeployment(deployment)
  const byProxy = groupsByProxy(deployment)
  const wanted = new Map<string, Set<string>>()
  for (const { key } of updates) {
    const ids = wanted.get(key.proxy) ?? new Set()
    wanted.set(key.proxy, ids.add(targetId(key)))
  }
  return [...wanted]
    .flatMap(([proxy, ids]) =>
      (byProxy.get(proxy)?.rows ?? []).filter((row) => {
        return keysOf(groups[row]!, proxy).ids.some((id) => ids.has(id))
      }),
    )
    .sort((a, b) => a - b)
}

/** Above this many targets, reading all records is faster than looking each one up. */
const LOOKUPS = 256

/** What is known before the updates. */
function reader(
  { paths }: World,
  deployment: Deployment,
  records: MapPort,
  rows: readonly number[],
  all: boolean,
) {
  const { groups } = numberDeployment(deployment)
  const needed = rows.reduce((sum, row) => sum + groups[row]!.targets.length, 0)
  const runtimes = () => decodeAgain(paths, records.readAll()).runtimes
  if (!all && needed <= LOOKUPS) {
    return { runtimes, runtimeOf: (_: string, key: TargetKey) => lookupRuntime(records, key) }
  }
  const known = runtimes()
  return { runtimes: () => known, runtimeOf: (id: string) => known.get(id)?.runtime }
}

/** A target that is in several lists of its proxy has the history that it has in the first of them. */
function isFirstList(deployment: Deployment, row: number, { proxy, ip, port }: TargetKey): boolean {
  const { groups } = numberDeployment(deployment)
  const rows = groupsByProxy(deployment).get(proxy)?.rows ?? []
  const first = rows.find((other) => {
    return other === row || groups[other]!.targets.some((target) => target.ip === ip && target.port === port)
  })
  return first === row
}
