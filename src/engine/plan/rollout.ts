/**
 * Replacing a proxy's targets in batches, as a list of steps. Pure, and without memory: what is left to do follows from
 * the list that serves and the one that is wanted, so that one that was interrupted goes on where it was.
 */
import { formatEndpoint } from '../model/ip.ts'
import { compareTargets } from '../model/order.ts'
import type { Target } from '../model/snapshot.ts'

export interface RolloutStep {
  /** Taken out of service, and then away. */
  readonly drain: readonly Target[]
  /** Take their place. */
  readonly add: readonly Target[]
  /** What serves after the swap. */
  readonly list: readonly Target[]
}

/**
 * No step takes more than `batch` targets out of service, nor so many that fewer stay than are there now or than
 * `wanted` has, less a batch; one always stays. So where there is only one, its successor comes first. New targets take
 * the place of old ones as long as there are any of both; then the rest comes, or goes, in batches too.
 */
export function planRollout(
  current: readonly Target[],
  wanted: readonly Target[],
  batch: number,
): RolloutStep[] {
  const old = without(current, wanted)
  const fresh = without(wanted, current)
  if (old.length === 0 && fresh.length === 0) {
    return sameTargets(current, wanted) ? [] : [{ drain: [], add: [], list: wanted }]
  }
  const steps: RolloutStep[] = []
  let members = current
  while (old.length > 0 || fresh.length > 0) {
    const mayGo = members.length - Math.max(1, Math.min(members.length, wanted.length - batch))
    const drain = old.splice(0, Math.min(batch, mayGo))
    const add = fresh.splice(0, batch)
    members = [...without(members, drain), ...add].sort(compareTargets)
    steps.push({ drain, add, list: mixed(members, current, wanted) })
  }
  return steps
}

/** Whether two lists say the same, in the same canonical order. */
export function sameTargets(a: readonly Target[], b: readonly Target[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** By address and port. */
export function without(list: readonly Target[], others: readonly Target[]): Target[] {
  const known = new Set(others.map(nameOf))
  return list.filter((target) => !known.has(nameOf(target)))
}

const nameOf = ({ ip, port }: Target): string => formatEndpoint(ip, port)

/** Weights that a list's sum to. */
const SUM = 100

/**
 * Each target as its list has it: those that are wanted as they are wanted, the others as they are. Each brings the share
 * that it has in its own list, and the shares are scaled to a sum of 100, at least 1 each, as close as whole numbers
 * come. Where neither list has weights there are none, nor where there are more than 100 targets.
 */
function mixed(
  members: readonly Target[],
  current: readonly Target[],
  wanted: readonly Target[],
): readonly Target[] {
  if (members.length === wanted.length && without(members, wanted).length === 0) return wanted
  const known = new Map([...shares(current), ...shares(wanted)])
  const all = members.map((member) => known.get(nameOf(member))!)
  const equal = all.every(({ target }) => target.weight === null) || members.length > SUM
  const weights = equal ? undefined : scaled(all.map(({ share }) => share))
  return all.map(({ target }, i) => ({ ...target, weight: weights?.[i] ?? null }))
}

function shares(list: readonly Target[]): (readonly [string, { target: Target; share: number }])[] {
  const sum = list.reduce((total, { weight }) => total + (weight ?? 1), 0)
  return list.map((target) => [nameOf(target), { target, share: (target.weight ?? 1) / sum }] as const)
}

/** Whole numbers of at least 1 with a sum of 100; of no more than 100 shares. */
function scaled(list: readonly number[]): number[] {
  const total = list.reduce((sum, share) => sum + share, 0)
  const exact = list.map((share) => (share * SUM) / total)
  const weights = list.map(() => 1)
  for (let left = SUM - list.length; left > 0; left--) {
    const lacks = exact.map((value, i) => value - weights[i]!)
    weights[lacks.indexOf(Math.max(...lacks))]! += 1
  }
  return weights
}
