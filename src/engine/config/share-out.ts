/** The targets of a list, a name's share divided among its addresses. */
import { compareTargets } from '../model/order.ts'
import type { Target } from '../model/snapshot.ts'
import { isHostTarget } from '../model/unresolved.ts'
import type { HostTarget, UnresolvedTarget } from '../model/unresolved.ts'
import { scale } from './check/weights.ts'

interface Entry {
  readonly target: UnresolvedTarget
  readonly addresses: readonly string[]
  /** In percent; `null` where the list has no weights. */
  readonly weight: number | null
}

/**
 * Every address gets a whole share. The shares of a name's addresses differ by one at most, and add up to its
 * weight; where one has more addresses than weight, the whole list is multiplied by what it takes to give
 * each address one share, so that proportions stay. Without weights every address has the same share.
 */
export function shareOut(
  targets: readonly UnresolvedTarget[],
  addressesOf: (target: HostTarget) => readonly string[],
): readonly Target[] {
  if (!targets.some(isHostTarget)) return targets as readonly Target[]
  const entries = rescaled(withoutRepeated(targets, addressesOf))
  const alone = entries.length === 1
  const factor = Math.max(
    1,
    ...entries.map(({ addresses, weight }) => Math.ceil(addresses.length / (weight ?? Infinity))),
  )
  return entries
    .flatMap((entry) => addressed(entry, alone ? null : entry.weight, factor))
    .sort(compareTargets)
}

/**
 * Entries with the addresses that are theirs alone: one that is in the list by itself, or under a name before, is
 * there already. A name that is left with none gives its share to what has its first address.
 */
function withoutRepeated(
  targets: readonly UnresolvedTarget[],
  addressesOf: (target: HostTarget) => readonly string[],
): Entry[] {
  const entries: Entry[] = []
  const owners = new Map<string, number>()
  for (const target of targets) {
    const found = isHostTarget(target) ? addressesOf(target) : [target.ip]
    const endpoint = (ip: string): string => `${ip} ${target.port}`
    const own = found.filter((ip) => !owners.has(endpoint(ip)))
    const [first] = found
    if (first === undefined) continue
    const owner = owners.get(endpoint(first))
    if (own.length > 0) {
      for (const ip of own) owners.set(endpoint(ip), entries.length)
      entries.push({ target, addresses: own, weight: target.weight })
    } else if (owner !== undefined) {
      const entry = entries[owner]!
      entries[owner] = {
        ...entry,
        weight: entry.weight === null ? null : entry.weight + (target.weight ?? 0),
      }
    }
  }
  return entries
}

/** Weights that add up to 100 again where a name without an address is missing. */
function rescaled(entries: readonly Entry[]): readonly Entry[] {
  const weights = entries.flatMap(({ weight }) => (weight === null ? [] : [weight]))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (sum === 0 || sum === 100) return entries
  const shares = scale(weights, sum)
  return entries.map((entry, i) => ({ ...entry, weight: shares[i] ?? null }))
}

function addressed({ target, addresses }: Entry, weight: number | null, factor: number): Target[] {
  const { port, healthCheck, drain } = target
  const origin = isHostTarget(target)
    ? { host: target.host, weight, dnsRefreshSeconds: target.dnsRefreshSeconds }
    : undefined
  const whole = weight === null ? 0 : weight * factor
  const share = Math.floor(whole / addresses.length)
  const rest = whole - share * addresses.length
  return addresses.map((ip, i) => ({
    ip,
    port,
    weight: weight === null ? null : share + (i < rest ? 1 : 0),
    ...(healthCheck && { healthCheck }),
    ...(drain && { drain }),
    ...(origin && { origin }),
  }))
}
