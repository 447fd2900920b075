/** From names to addresses: what an unresolved snapshot and the answers of the domain name system come to. */
import { familyOf } from '../model/ip.ts'
import { compareRoutes } from '../model/order.ts'
import type { Problem } from '../model/problem.ts'
import type { HostAddresses } from '../model/resolution.ts'
import { sourceRouteAddress, targetAddress } from '../model/resource.ts'
import type { Family, Proxy, Snapshot, SourceRoute, Target } from '../model/snapshot.ts'
import { hostsOf, isHostTarget } from '../model/unresolved.ts'
import type {
  HostTarget,
  UnresolvedProxy,
  UnresolvedSnapshot,
  UnresolvedTarget,
} from '../model/unresolved.ts'
import { checkResolvedListeners } from './check/resolved-listeners.ts'
import { shareOut } from './share-out.ts'
import { namesOf, type Names, type ResolveOptions } from './names.ts'

export type { ResolveOptions } from './names.ts'

export type Resolved =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * The snapshot with an address for each name. Of addresses, those are used that the proxy's family has
 * and a packet can be sent to, at most 256 of a name. The same answers in another order, or with repetitions,
 * give the same snapshot.
 */
export function resolveSnapshot(
  unresolved: UnresolvedSnapshot,
  answers: HostAddresses,
  options: ResolveOptions = {},
): Resolved {
  if (hostsOf(unresolved).length === 0) return { ok: true, snapshot: unresolved as Snapshot, warnings: [] }
  const names = namesOf(answers, options)
  const proxies = unresolved.proxies.flatMap((proxy) => resolveProxy(proxy, names))
  const problems = [...names.problems, ...checkResolvedListeners(proxies, options)]
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, snapshot: { ...unresolved, proxies }, warnings: problems }
}

/** The family of the addresses that a proxy is about, in the order of what says most. */
function familyOfProxy(proxy: UnresolvedProxy, names: Names): Family {
  const { listen, defaultTarget, sourceRoutes } = proxy
  const targets = [...defaultTarget, ...sourceRoutes.flatMap((route) => route.targets)]
  const given =
    listen.address ??
    targets.find((target): target is Target => !isHostTarget(target))?.ip ??
    sourceRoutes.flatMap((route) => ('source' in route ? [route.source] : []))[0]
  if (given !== undefined) return familyOf(given)
  const hosts = targets.filter(isHostTarget).map(({ host }) => host)
  return hosts.some((host) => names.has(host, 'ipv4')) || !hosts.some((host) => names.has(host, 'ipv6'))
    ? 'ipv4'
    : 'ipv6'
}

/** None where no default target is left. */
function resolveProxy(proxy: UnresolvedProxy, names: Names): Proxy[] {
  if (!hasNames(proxy)) return [proxy as Proxy]
  const family = familyOfProxy(proxy, names)
  const { name, listen } = proxy
  const use = { family, proxy: name }
  const resolveTargets = (
    targets: readonly UnresolvedTarget[],
    placeOf: (target: HostTarget) => string,
  ): readonly Target[] =>
    shareOut(targets, (target) => {
      // A proxy whose target is the proxy itself would go round in circles.
      const except = target.port === listen.port ? (listen.address ?? undefined) : undefined
      return names.addresses(target.host, { ...use, at: placeOf(target), except })
    })
  const defaultTarget = resolveTargets(proxy.defaultTarget, ({ host, port }) =>
    targetAddress(name, host, port),
  )
  const sourceRoutes: SourceRoute[] = []
  const taken = new Set(proxy.sourceRoutes.flatMap((route) => ('source' in route ? [route.source] : [])))
  for (const route of proxy.sourceRoutes) {
    const at = sourceRouteAddress(name, 'source' in route ? route.source : route.sourceHost)
    const targets = resolveTargets(route.targets, () => at)
    if ('source' in route) sourceRoutes.push({ source: route.source, targets })
    else {
      const length = family === 'ipv4' ? 32 : 128
      for (const ip of names.addresses(route.sourceHost, { ...use, at })) {
        const source = `${ip}/${length}`
        // An address that is routed as such, or under a name before this one, is so already.
        if (taken.has(source)) continue
        taken.add(source)
        sourceRoutes.push({ source, targets, origin: route.sourceHost })
      }
    }
  }
  if (defaultTarget.length === 0) {
    names.leftOut(name)
    return []
  }
  const kept = sourceRoutes.filter(({ targets }) => targets.length > 0).sort(compareRoutes)
  return [{ ...proxy, defaultTarget, sourceRoutes: kept }]
}

function hasNames({ defaultTarget, sourceRoutes }: UnresolvedProxy): boolean {
  return (
    defaultTarget.some(isHostTarget) ||
    sourceRoutes.some((route) => 'sourceHost' in route || route.targets.some(isHostTarget))
  )
}
