/** The inverse of resolve.ts: addresses of one name are one target again, and one source. */
import { sameJson } from '../model/compare.ts'
import type { Json } from '../model/json.ts'
import type { Origin, Target } from '../model/snapshot.ts'
import { compareUnresolvedRoutes, compareUnresolvedTargets, isHostTarget } from '../model/unresolved.ts'
import type {
  HostTarget,
  UnresolvedProxy,
  UnresolvedRoute,
  UnresolvedSnapshot,
  UnresolvedTarget,
} from '../model/unresolved.ts'

/** The snapshot as a configuration says it. */
export function unresolve(snapshot: UnresolvedSnapshot): UnresolvedSnapshot {
  return { ...snapshot, proxies: snapshot.proxies.map(unresolveProxy) }
}

function unresolveProxy(proxy: UnresolvedProxy): UnresolvedProxy {
  return {
    ...proxy,
    defaultTarget: unresolveTargets(proxy.defaultTarget),
    sourceRoutes: unresolveRoutes(proxy.sourceRoutes),
  }
}

function originOf(target: UnresolvedTarget): Origin | undefined {
  return isHostTarget(target) ? undefined : target.origin
}

function unresolveTargets(targets: readonly UnresolvedTarget[]): readonly UnresolvedTarget[] {
  if (!targets.some(originOf)) return targets
  const hosts = new Map<string, HostTarget>()
  const others: UnresolvedTarget[] = []
  const factor = factorOf(targets)
  for (const target of targets) {
    const origin = originOf(target)
    if (origin === undefined || isHostTarget(target)) others.push(divided(target, factor))
    else hosts.set(`${origin.host} ${target.port}`, named(target, origin))
  }
  const entries = [...others, ...hosts.values()]
  return entries.sort(compareUnresolvedTargets)
}

/** By what the weights of a list were multiplied, so that each address of a name has a whole share. */
function factorOf(targets: readonly UnresolvedTarget[]): number {
  const sum = targets.reduce((total, { weight }) => total + (weight ?? 0), 0)
  return sum > 0 && sum % 100 === 0 ? sum / 100 : 1
}

function divided(target: UnresolvedTarget, factor: number): UnresolvedTarget {
  const { weight } = target
  return weight === null || weight % factor !== 0 ? target : { ...target, weight: weight / factor }
}

function named(
  { port, healthCheck, drain }: Target,
  { host, weight, dnsRefreshSeconds }: Origin,
): HostTarget {
  return {
    host,
    port,
    weight,
    dnsRefreshSeconds,
    ...(healthCheck && { healthCheck }),
    ...(drain && { drain }),
  }
}

/** Sources of one name are one route as long as they have the same targets. */
function unresolveRoutes(routes: readonly UnresolvedRoute[]): readonly UnresolvedRoute[] {
  const named = new Map<string, UnresolvedRoute>()
  const found: UnresolvedRoute[] = []
  for (const route of routes) {
    const targets = unresolveTargets(route.targets)
    if (!('source' in route)) found.push({ sourceHost: route.sourceHost, targets })
    else if (route.origin === undefined) found.push({ source: route.source, targets })
    else {
      const known = named.get(route.origin)
      if (known === undefined) named.set(route.origin, { sourceHost: route.origin, targets })
      else if (!sameJson(known.targets as unknown as Json, targets as unknown as Json)) {
        found.push({ source: route.source, targets })
      }
    }
  }
  return [...found, ...named.values()].sort(compareUnresolvedRoutes)
}
