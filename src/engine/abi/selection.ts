/** The table of selection: each group's run, by configured weights and by effective ones. */
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey, TargetRuntime } from '../model/runtime.ts'
import type { Deployment, Snapshot, Target } from '../model/snapshot.ts'
import { factorOf, isDrained, WHOLE } from '../select/factor.ts'
import { selectionRun } from '../select/run.ts'
import type { Factor } from '../select/factor.ts'
import { effectiveShares, resolve } from '../select/shares.ts'
import type { Share } from '../select/shares.ts'
import { numberDeployment } from './numbering.ts'
import type { GroupPlan, Numbering } from './numbering.ts'
import { targetId } from './runtime.ts'
import type { Runtimes } from './runtime.ts'

export interface Selection {
  /** Rows of `backends`. */
  readonly selection: Uint32Array
  /** Where the run of each group begins, and, one more, where the last one ends. */
  readonly offsets: Uint32Array
}

const selections = new WeakMap<Numbering, Selection>()

/** With nothing taken off. The same for the same numbering; not to be written to. */
export function configuredSelection(numbering: Numbering): Selection {
  const found = selections.get(numbering)
  if (found) return found
  const { groups } = numbering
  const runs = runsOf(groups.map(({ targets }) => targets))
  const offsets = new Uint32Array(groups.length + 1)
  for (const [row, run] of runs.entries()) offsets[row + 1] = offsets[row]! + run.length
  const selection = new Uint32Array(offsets[groups.length]!)
  for (const [row, { backends }] of groups.entries()) {
    const from = offsets[row]!
    for (const [i, choice] of runs[row]!.entries()) selection[from + i] = backends[choice]!
  }
  const made = { selection, offsets }
  selections.set(numbering, made)
  return made
}

/** Most groups have the weights of another one. */
function runsOf(lists: readonly (readonly Target[])[]): (readonly number[])[] {
  const runs = new Map<string, readonly number[]>()
  return lists.map((targets) => {
    const weights = targets.map(({ weight }) => weight)
    const key = weights.join()
    const run = runs.get(key) ?? selectionRun(weights)
    runs.set(key, run)
    return run
  })
}

/** What is known of a target, by its `targetId` or its key; `undefined`: nothing. */
export type RuntimeOf = (id: string, key: TargetKey) => TargetRuntime | undefined

export interface EffectiveGroup {
  /** The group's targets, in the order of its list. */
  readonly keys: readonly TargetKey[]
  readonly shares: readonly Share[]
  /** The run, as rows of `backends`. */
  readonly entries: readonly number[]
}

/** One group's run by effective weights. */
export function effectiveGroup(deployment: Deployment, row: number, runtimeOf: RuntimeOf): EffectiveGroup {
  const { targets, backends } = numberDeployment(deployment).groups[row]!
  const { keys, runtimes } = statesOf(deployment, row, runtimeOf)
  const { shares, run } = effectiveShares(
    targets.map(({ weight }) => weight),
    runtimes,
  )
  return { keys, shares, entries: run.map((choice) => backends[choice]!) }
}

/** What is left of the weight of each of a group's targets: the same as in its shares, without working out a run. */
export function factorsOf(deployment: Deployment, row: number, runtimeOf: RuntimeOf): readonly Factor[] {
  return resolve(statesOf(deployment, row, runtimeOf).runtimes)
}

function statesOf(deployment: Deployment, row: number, runtimeOf: RuntimeOf) {
  const group = numberDeployment(deployment).groups[row]!
  const { keys, ids } = keysOf(group, deployment.snapshot.proxies[group.proxy]!.name)
  const runtimes = group.targets.map((target, i) => {
    return withDeclaredDrain(target, runtimeOf(ids[i]!, keys[i]!) ?? FRESH_RUNTIME)
  })
  return { keys, runtimes }
}

export interface GroupKeys {
  readonly keys: readonly TargetKey[]
  /** By `targetId`. */
  readonly ids: readonly string[]
}

const known = new WeakMap<GroupPlan, GroupKeys>()

/** The same for the same group: what is known of large lists changes often. */
export function keysOf(group: GroupPlan, proxy: string): GroupKeys {
  const found = known.get(group)
  if (found) return found
  const { protocol, targets } = group
  const keys = targets.map(({ ip, port }): TargetKey => ({ proxy, ip, port, protocol }))
  const made = { keys, ids: keys.map(targetId) }
  known.set(group, made)
  return made
}

/** The whole table by effective weights. */
export function effectiveSelection(deployment: Deployment, runtimes: Runtimes): Uint32Array {
  const { selection, offsets } = configuredSelection(numberDeployment(deployment))
  if (!isReduced(deployment, runtimes)) return selection
  const rows = reducedGroups(deployment, runtimes)
  if (rows.length === 0) return selection
  const effective = selection.slice()
  for (const row of rows)
    effective.set(effectiveGroup(deployment, row, runtimeIn(runtimes)).entries, offsets[row])
  return effective
}

/** Whether something may be taken off from a target: a look that numbers nothing. */
export function isReduced({ snapshot }: Deployment, runtimes: Runtimes): boolean {
  for (const { runtime } of runtimes.values()) if (factorOf(runtime).factor !== WHOLE.factor) return true
  const known = draining.get(snapshot)
  if (known !== undefined) return known
  const drains = (targets: readonly Target[]): boolean => targets.some(({ drain }) => drain)
  const made = snapshot.proxies.some(({ defaultTarget, sourceRoutes }) => {
    return drains(defaultTarget) || sourceRoutes.some(({ targets }) => drains(targets))
  })
  draining.set(snapshot, made)
  return made
}

/** Whether a target is configured to be drained. */
const draining = new WeakMap<Snapshot, boolean>()

/** Whether two states of a target come to the same for its list. */
export function weighsSame(a: TargetRuntime, b: TargetRuntime): boolean {
  return factorOf(a).factor === factorOf(b).factor && isDrained(a) === isDrained(b)
}

export const runtimeIn =
  (runtimes: Runtimes): RuntimeOf =>
  (id) =>
    runtimes.get(id)?.runtime

/** Names of proxies with a target that something is taken off from. */
export function reducedProxies(deployment: Deployment, runtimes: Runtimes): Set<string> {
  const names = new Set<string>()
  for (const { key, runtime } of runtimes.values()) {
    if (factorOf(runtime).factor !== WHOLE.factor) names.add(key.proxy)
  }
  for (const [name, { drains }] of groupsByProxy(deployment)) if (drains) names.add(name)
  return names
}

function reducedGroups(deployment: Deployment, runtimes: Runtimes): number[] {
  const byName = groupsByProxy(deployment)
  return [...reducedProxies(deployment, runtimes)].flatMap((name) => byName.get(name)?.rows ?? [])
}

/** A target with `drain: true` counts as drained. */
export function withDeclaredDrain({ drain }: Target, runtime: TargetRuntime): TargetRuntime {
  if (!drain || runtime.drain.state !== 'none') return runtime
  return { ...runtime, drain: { ...runtime.drain, state: 'draining' } }
}

export interface ProxyGroups {
  /** Those of source routes follow that of the default target. */
  readonly rows: readonly number[]
  /** A target is configured to be drained. */
  readonly drains: boolean
}

const byProxy = new WeakMap<Deployment, ReadonlyMap<string, ProxyGroups>>()

/** By the names of proxies. The same for the same deployment. */
export function groupsByProxy(deployment: Deployment): ReadonlyMap<string, ProxyGroups> {
  const found = byProxy.get(deployment)
  if (found) return found
  const made = new Map<string, { rows: number[]; drains: boolean }>()
  const { proxies } = deployment.snapshot
  for (const [row, { proxy, targets }] of numberDeployment(deployment).groups.entries()) {
    const { name } = proxies[proxy]!
    const groups = made.get(name) ?? { rows: [], drains: false }
    groups.rows.push(row)
    groups.drains ||= targets.some(({ drain }) => drain)
    made.set(name, groups)
  }
  byProxy.set(deployment, made)
  return made
}
