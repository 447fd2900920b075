/**
 * Two deployments without what they have in common. A plan is mostly about a few entries among many
 * thousands: taking all of them apart into addressed resources would take most of its time.
 */
import { sameJson } from '../model/compare.ts'
import { compareNames, compareRoutes, compareTargets } from '../model/order.ts'
import type { Json } from '../model/resource.ts'
import type { HealthCheck } from '../model/policy.ts'
import type { Deployment, Origin, Proxy, SourceRoute, Target } from '../model/snapshot.ts'

/** Resources that are equal on both sides are left out of both; the others are there, in their order. */
export function differing(before: Deployment, after: Deployment): [Deployment, Deployment] {
  const [left, right] = apart(before.snapshot.proxies, after.snapshot.proxies, compareNames, proxiesApart)
  return [withProxies(before, left), withProxies(after, right)]
}

function withProxies(deployment: Deployment, proxies: readonly Proxy[]): Deployment {
  return { ...deployment, snapshot: { ...deployment.snapshot, proxies } }
}

/**
 * What is left of two items of the same name: nothing where they are equal. `compare` may take equal
 * parts out of both.
 */
type Compare<T> = (left: T, right: T) => readonly [T, T] | undefined

/**
 * Walks two lists in canonical order side by side. A damaged map may hold an item twice: then all of
 * the list stays, because which of the two counts is not decided here.
 */
function apart<T>(
  left: readonly T[],
  right: readonly T[],
  order: (a: T, b: T) => number,
  compare: Compare<T>,
): [readonly T[], readonly T[]] {
  if (!isAscending(left, order) || !isAscending(right, order)) return [left, right]
  const rest: [T[], T[]] = [[], []]
  let l = 0
  let r = 0
  while (l < left.length && r < right.length) {
    const difference = order(left[l]!, right[r]!)
    if (difference < 0) rest[0].push(left[l++]!)
    else if (difference > 0) rest[1].push(right[r++]!)
    else {
      const pair = compare(left[l++]!, right[r++]!)
      if (!pair) continue
      rest[0].push(pair[0])
      rest[1].push(pair[1])
    }
  }
  return [rest[0].concat(left.slice(l)), rest[1].concat(right.slice(r))]
}

function isAscending<T>(list: readonly T[], order: (a: T, b: T) => number): boolean {
  return list.every((item, i) => i === 0 || order(list[i - 1]!, item) < 0)
}

function proxiesApart(left: Proxy, right: Proxy): [Proxy, Proxy] | undefined {
  if (sameProxy(left, right)) return undefined
  const targets = apart(left.defaultTarget, right.defaultTarget, compareTargets, targetsApart)
  const routes = apart(left.sourceRoutes, right.sourceRoutes, compareRoutes, routesApart)
  return [
    { ...left, defaultTarget: targets[0], sourceRoutes: routes[0] },
    { ...right, defaultTarget: targets[1], sourceRoutes: routes[1] },
  ]
}

function sameProxy(left: Proxy, right: Proxy): boolean {
  return (
    sameTargets(left.defaultTarget, right.defaultTarget) &&
    left.sourceRoutes.length === right.sourceRoutes.length &&
    left.sourceRoutes.every((route, i) => sameRoute(route, right.sourceRoutes[i]!)) &&
    sameJson(attributes(left), attributes(right))
  )
}

function attributes({ listen, forwarding, endRemovedAfterSec }: Proxy): Json {
  return { forwarding, listen: { ...listen }, endRemovedAfterSec: endRemovedAfterSec ?? null }
}

function targetsApart(left: Target, right: Target): [Target, Target] | undefined {
  return sameTarget(left, right) ? undefined : [left, right]
}

function routesApart(left: SourceRoute, right: SourceRoute): [SourceRoute, SourceRoute] | undefined {
  return sameRoute(left, right) ? undefined : [left, right]
}

function sameRoute(left: SourceRoute, right: SourceRoute): boolean {
  return (
    left.source === right.source && left.origin === right.origin && sameTargets(left.targets, right.targets)
  )
}

function sameTargets(left: readonly Target[], right: readonly Target[]): boolean {
  return left.length === right.length && left.every((target, i) => sameTarget(target, right[i]!))
}

function sameTarget(left: Target, right: Target): boolean {
  return (
    left.ip === right.ip &&
    left.port === right.port &&
    left.weight === right.weight &&
    left.drain === right.drain &&
    sameParts(left.healthCheck, right.healthCheck) &&
    sameParts(left.origin, right.origin)
  )
}

/** Most targets have neither, or share one. */
function sameParts(left: HealthCheck | Origin | undefined, right: HealthCheck | Origin | undefined): boolean {
  return left === right || sameJson(left as Json | undefined, right as Json | undefined)
}
