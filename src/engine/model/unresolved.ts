import type { HealthCheck } from './policy.ts'
import { compareTargets, compareText } from './order.ts'
import type { Proxy, Snapshot, Target } from './snapshot.ts'

/**
 * The load balancer as configuration files say it: targets and sources may be names, whose addresses
 * are yet to be found. Where there are no names it is a snapshot already. In canonical order: targets by
 * address first, as in a snapshot, then those by name, in the order of names and ports.
 */
export interface UnresolvedSnapshot extends Pick<Snapshot, 'interfaces' | 'settings'> {
  readonly proxies: readonly UnresolvedProxy[]
}

export interface UnresolvedProxy extends Omit<Proxy, 'defaultTarget' | 'sourceRoutes'> {
  readonly defaultTarget: readonly UnresolvedTarget[]
  readonly sourceRoutes: readonly UnresolvedRoute[]
}

export type UnresolvedTarget = Target | HostTarget

export interface HostTarget {
  /** In lower case. */
  readonly host: string
  readonly port: number
  /** As in Target: the share of all its addresses together. */
  readonly weight: number | null
  readonly dnsRefreshSeconds: number
  readonly healthCheck?: HealthCheck
  readonly drain?: true
}

/** By address first, as in a snapshot, then by name. */
export type UnresolvedRoute = AddressRoute | HostRoute

export interface AddressRoute {
  readonly source: string
  /** As in SourceRoute. */
  readonly origin?: string
  readonly targets: readonly UnresolvedTarget[]
}

export interface HostRoute {
  /** The name of the clients; in lower case. */
  readonly sourceHost: string
  readonly targets: readonly UnresolvedTarget[]
}

/** A name to be resolved, and how often at least. */
export interface HostName {
  readonly host: string
  readonly dnsRefreshSeconds: number
}

/** Names whose clients are routed have no refresh time of their own. */
export const DEFAULT_DNS_REFRESH_SECONDS = 30

export function isHostTarget(target: UnresolvedTarget): target is HostTarget {
  return 'host' in target
}

/** All names, each once, with the shortest of its refresh times; by name. */
export function hostsOf({ proxies }: UnresolvedSnapshot): HostName[] {
  const found = new Map<string, number>()
  const add = (host: string, seconds: number): void => {
    found.set(host, Math.min(seconds, found.get(host) ?? seconds))
  }
  const addTargets = (targets: readonly UnresolvedTarget[]): void => {
    for (const target of targets) if (isHostTarget(target)) add(target.host, target.dnsRefreshSeconds)
  }
  for (const { defaultTarget, sourceRoutes } of proxies) {
    addTargets(defaultTarget)
    for (const route of sourceRoutes) {
      if ('sourceHost' in route) add(route.sourceHost, DEFAULT_DNS_REFRESH_SECONDS)
      addTargets(route.targets)
    }
  }
  return [...found]
    .map(([host, dnsRefreshSeconds]) => ({ host, dnsRefreshSeconds }))
    .sort((a, b) => compareText(a.host, b.host))
}

/** By address before by name. */
export function compareUnresolvedTargets(a: UnresolvedTarget, b: UnresolvedTarget): number {
  if (isHostTarget(a)) return isHostTarget(b) ? compareText(a.host, b.host) || a.port - b.port : 1
  return isHostTarget(b) ? -1 : compareTargets(a, b)
}

/** By address before by name. */
export function compareUnresolvedRoutes(a: UnresolvedRoute, b: UnresolvedRoute): number {
  if ('sourceHost' in a) return 'sourceHost' in b ? compareText(a.sourceHost, b.sourceHost) : 1
  return 'sourceHost' in b ? -1 : compareText(a.source, b.source)
}
