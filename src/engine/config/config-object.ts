/** A snapshot as the object that a configuration file holds. */
import { sameJson } from '../model/compare.ts'
import type { Json } from '../model/json.ts'
import {
  DEFAULT_HEALTH_CHECK,
  DEFAULT_HTTP_CHECK,
  DEFAULT_TLS_CHECK,
  healthCheckKeys,
} from '../model/policy.ts'
import type { HealthCheck } from '../model/policy.ts'
import { onRemoveKeys } from '../model/on-remove.ts'
import { DEFAULT_SETTINGS } from '../model/snapshot.ts'
import type { Listen, Settings } from '../model/snapshot.ts'
import { DEFAULT_DNS_REFRESH_SECONDS, isHostTarget } from '../model/unresolved.ts'
import type {
  UnresolvedProxy,
  UnresolvedRoute,
  UnresolvedSnapshot,
  UnresolvedTarget,
} from '../model/unresolved.ts'
import type * as Input from './types.generated.ts'
import { unresolve } from './unresolve.ts'

/**
 * A snapshot in the shape of a configuration file, keys in the order of the documentation. Defaults are
 * spelled out in proxies, where a reader looks for them, and left out of the settings, of targets and of
 * health checks. What was configured by name is so again.
 */
export function toConfigObject(snapshot: UnresolvedSnapshot): Input.Config {
  const { proxies, interfaces, settings } = unresolve(snapshot)
  const changed = changedSettings(settings)
  const base = settings.healthCheckDefaults
  return {
    version: 1,
    proxies: proxies.map((proxy) => proxyObject(proxy, base)),
    ...(interfaces.length > 0 && {
      interfaces: Object.fromEntries(interfaces.map(({ name, attach }) => [name, { attach }])),
    }),
    ...(Object.keys(changed).length > 0 && { settings: changed }),
  }
}

function proxyObject(proxy: UnresolvedProxy, base: HealthCheck): Input.Proxy {
  const { name, listen, forwarding, defaultTarget, sourceRoutes } = proxy
  return {
    name,
    listen: listenObject(listen),
    forwarding,
    defaultTarget: targetsObject(defaultTarget, base),
    ...(sourceRoutes.length > 0 && { sourceRoutes: sourceRoutes.map((route) => routeObject(route, base)) }),
    ...onRemoveKeys(proxy),
  }
}

function listenObject({ interfaces, address, port, protocol }: Listen): Input.Listener {
  return { interfaces: [...interfaces], ...(address !== null && { address }), port, protocol }
}

function targetObject(target: UnresolvedTarget, base: HealthCheck): Input.Target {
  const { port, weight, healthCheck, drain } = target
  const isHost = isHostTarget(target)
  return {
    ...(isHost ? { host: target.host } : { ip: target.ip }),
    port,
    ...(weight !== null && { weight }),
    ...(isHost &&
      target.dnsRefreshSeconds !== DEFAULT_DNS_REFRESH_SECONDS && {
        dnsRefreshSeconds: target.dnsRefreshSeconds,
      }),
    ...(healthCheck && { healthCheck: healthCheckObject(healthCheck, base) }),
    ...(drain && { drain }),
  }
}

/** A list of one is written as its element. */
function targetsObject(
  targets: readonly UnresolvedTarget[],
  base: HealthCheck,
): Input.Target | Input.Target[] {
  const objects = targets.map((target) => targetObject(target, base))
  const [only] = objects
  return objects.length === 1 && only !== undefined ? only : objects
}

function routeObject(route: UnresolvedRoute, base: HealthCheck): Input.SourceRoute {
  const source = 'source' in route ? route.source : route.sourceHost
  const objects = targetsObject(route.targets, base)
  return Array.isArray(objects) ? { source, targets: objects } : { source, target: objects }
}

/** Its type, and what is not as in the defaults of health checks. */
function healthCheckObject(check: HealthCheck, base: HealthCheck): Input.HealthCheck {
  const usual = healthCheckKeys({
    ...base,
    http: check.http && (base.http ?? DEFAULT_HTTP_CHECK),
    tls: check.tls && (base.tls ?? DEFAULT_TLS_CHECK),
  })
  const { type, ...rest } = healthCheckKeys(check)
  return { type, ...differing(rest, usual) } as Input.HealthCheck
}

function changedSettings(settings: Settings): Input.Settings {
  const usual: Readonly<Record<string, unknown>> = { ...DEFAULT_SETTINGS }
  const changed = differing(inOrderOf(DEFAULT_SETTINGS, settings), DEFAULT_SETTINGS)
  const entries = Object.entries(changed).map(([key, value]) => {
    if (key === 'healthCheckDefaults')
      return [key, healthCheckObject(value as HealthCheck, DEFAULT_HEALTH_CHECK)]
    if (!isObject(value)) return [key, value]
    const known = usual[key] as object
    return [key, differing(inOrderOf(known, value), known)]
  })
  return Object.fromEntries(entries) as Input.Settings
}

/** The same members, in the order of `pattern`, which has them all: how an object was made must not show. */
function inOrderOf<T extends object>(pattern: T, members: T): T {
  return Object.fromEntries(Object.keys(pattern).map((key) => [key, members[key as keyof T]])) as T
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The members that are not as in `usual`. */
function differing<T extends object>(members: T, usual: object): Partial<T> {
  const known = usual as Readonly<Record<string, Json>>
  return Object.fromEntries(
    Object.entries(members).filter(([key, value]) => !sameJson(value as Json, known[key])),
  ) as Partial<T>
}
