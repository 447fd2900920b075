/** Targets and source routes as attributes: what plans compare and show. */
import { sameJson } from './compare.ts'
import { formatEndpoint } from './ip.ts'
import type { Attributes, Json } from './json.ts'
import { DEFAULT_HEALTH_CHECK, DEFAULT_HTTP_CHECK, DEFAULT_TLS_CHECK, healthCheckKeys } from './policy.ts'
import type { HealthCheck } from './policy.ts'
import type { SourceRoute, Target } from './snapshot.ts'
import { DEFAULT_DNS_REFRESH_SECONDS } from './unresolved.ts'

/** Beside the weight, only what is not as it usually is: most targets have nothing else. */
export function targetAttributes({ weight, healthCheck, drain, origin }: Target): Attributes {
  if (!healthCheck && !drain && !origin) return { weight }
  return {
    weight,
    ...(origin && { host: origin.host }),
    ...(origin &&
      origin.dnsRefreshSeconds !== DEFAULT_DNS_REFRESH_SECONDS && {
        dnsRefreshSeconds: origin.dnsRefreshSeconds,
      }),
    ...(healthCheck && { healthCheck: unusual(healthCheck) }),
    ...(drain && { drain }),
  }
}

/** Attributes of a target by its endpoint; just the weight where there is no more. */
export function routeAttributes({ origin, targets }: SourceRoute): Attributes {
  const entries = targets.map((target) => {
    const attributes = targetAttributes(target)
    const plain = Object.keys(attributes).length === 1
    return [formatEndpoint(target.ip, target.port), plain ? target.weight : attributes] as const
  })
  return { targets: Object.fromEntries(entries), ...(origin !== undefined && { host: origin }) }
}

/** The type of a check, and what differs from the defaults. Most targets that have a check share one. */
function unusual(check: HealthCheck): Attributes {
  const known = checks.get(check)
  if (known) return known
  const keys = Object.entries(healthCheckKeys(check))
  const attributes = Object.fromEntries(
    keys.filter(([key, value]) => key === 'type' || !sameJson(value as Json, USUAL.https[key])),
  )
  checks.set(check, attributes)
  return attributes
}

const checks = new WeakMap<HealthCheck, Attributes>()

const CHECK = DEFAULT_HEALTH_CHECK

/** The defaults by type, under their keys. */
const USUAL: Readonly<Record<HealthCheck['type'], Attributes>> = {
  none: healthCheckKeys(CHECK),
  tcp: healthCheckKeys(CHECK),
  http: healthCheckKeys({ ...CHECK, http: DEFAULT_HTTP_CHECK }),
  https: healthCheckKeys({ ...CHECK, http: DEFAULT_HTTP_CHECK, tls: DEFAULT_TLS_CHECK }),
}

/**
 * Two states of one resource so that they can be shown side by side: a key of a health check that only
 * one of them has because the other has its default is spelled out there.
 */
export function spellOut(before: Attributes, after: Attributes): readonly [Attributes, Attributes] {
  const was = before['healthCheck']
  const is = after['healthCheck']
  if (!isMap(was) || !isMap(is)) return [before, after]
  return [
    { ...before, healthCheck: withUsual(was, is) },
    { ...after, healthCheck: withUsual(is, was) },
  ]
}

const ORDER = ['type', 'port', ...Object.keys(USUAL.https)]

/** A check with the defaults of the keys that another one has. */
function withUsual(check: Attributes, other: Attributes): Attributes {
  const usual = USUAL[check['type'] as HealthCheck['type']]
  const keys = [...new Set(ORDER)].flatMap((key): [string, Json][] => {
    const value = check[key] ?? (Object.hasOwn(other, key) ? usual[key] : undefined)
    return value === undefined ? [] : [[key, value]]
  })
  return Object.fromEntries(keys)
}

function isMap(value: Json | undefined): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
