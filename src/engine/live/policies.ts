/** What is configured about targets and no table holds, taken over from the snapshot that was applied. */
import { DEFAULT_DAEMON_SETTINGS } from '../model/policy.ts'
import type { DaemonSettings } from '../model/policy.ts'
import type { Proxy, Snapshot, SourceRoute, Target } from '../model/snapshot.ts'

/** Those of defaults where nothing tells. */
export function daemonSettingsOf(applied: Snapshot | undefined): DaemonSettings {
  if (!applied) return DEFAULT_DAEMON_SETTINGS
  const settings: Readonly<Record<string, unknown>> = { ...applied.settings }
  const names = Object.keys(DEFAULT_DAEMON_SETTINGS)
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as unknown as DaemonSettings
}

/** Proxies with `onRemove`, and the health checks, drains and origins that `applied` has for the same targets of the same lists. */
export function withPolicies(proxies: readonly Proxy[], applied: Snapshot | undefined): Proxy[] {
  const known = new Map(applied?.proxies.filter(hasPolicies).map((proxy) => [proxy.name, proxy]))
  return proxies.map((proxy) => {
    const before = known.get(proxy.name)
    if (!before) return proxy
    const routes = new Map(before.sourceRoutes.map((route) => [route.source, route]))
    const { endRemovedAfterSec } = before
    return {
      ...proxy,
      ...(endRemovedAfterSec !== undefined && { endRemovedAfterSec }),
      defaultTarget: targetsWith(proxy.defaultTarget, before.defaultTarget),
      sourceRoutes: proxy.sourceRoutes.map((route) => routeWith(route, routes.get(route.source))),
    }
  })
}

function hasPolicies({ defaultTarget, sourceRoutes, endRemovedAfterSec }: Proxy): boolean {
  return (
    endRemovedAfterSec !== undefined ||
    defaultTarget.some(isSpecial) ||
    sourceRoutes.some(({ origin, targets }) => origin !== undefined || targets.some(isSpecial))
  )
}

function isSpecial({ healthCheck, drain, origin }: Target): boolean {
  return healthCheck !== undefined || drain !== undefined || origin !== undefined
}

function routeWith(route: SourceRoute, before: SourceRoute | undefined): SourceRoute {
  if (!before) return route
  const { origin } = before
  const targets = targetsWith(route.targets, before.targets)
  return { source: route.source, targets, ...(origin !== undefined && { origin }) }
}

function targetsWith(targets: readonly Target[], before: readonly Target[]): readonly Target[] {
  const special = new Map(
    before.filter(isSpecial).map((target) => [`${target.ip} ${target.port}`, target] as const),
  )
  if (special.size === 0) return targets
  return targets.map((target) => {
    const policies = special.get(`${target.ip} ${target.port}`)
    return policies ? { ...policies, weight: target.weight } : target
  })
}
