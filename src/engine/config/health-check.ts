/** Health checks: what is not said is as in the defaults, and what the type has no use for is left out. */
import { DEFAULT_HTTP_CHECK, DEFAULT_TLS_CHECK } from '../model/policy.ts'
import type { HealthCheck, HttpCheck, TlsCheck } from '../model/policy.ts'
import type { DraftCheck } from './draft.ts'
import { toValue } from './syntax/node.ts'

/** A check whose keys are right. */
export function healthCheckFrom({ entries }: DraftCheck, base: HealthCheck): HealthCheck {
  const given = Object.fromEntries([...entries].map(([key, { value }]) => [key, toValue(value)]))
  return completed(given, base)
}

/** As it stands in a file: any key may be missing, and the schema allows what there is. */
type GivenCheck = Partial<Omit<HealthCheck, 'http' | 'tls' | 'port'> & NonNull<HttpCheck & TlsCheck>> & {
  readonly port?: number
}
type NonNull<T> = { readonly [K in keyof T]: NonNullable<T[K]> }

function completed(given: GivenCheck, base: HealthCheck): HealthCheck {
  const type = given.type ?? base.type
  const { intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold } = { ...base, ...given }
  return {
    type,
    port: given.port ?? base.port,
    intervalMs,
    timeoutMs,
    healthyThreshold,
    unhealthyThreshold,
    http: type === 'http' || type === 'https' ? httpCheck(given, base.http ?? DEFAULT_HTTP_CHECK) : null,
    tls: type === 'https' ? tlsCheck(given, base.tls ?? DEFAULT_TLS_CHECK) : null,
  }
}

function httpCheck(given: GivenCheck, base: HttpCheck): HttpCheck {
  const { method, path, host, expectedCodes, expectedBody } = { ...base, ...given }
  const codes = [...new Set(expectedCodes)].sort((a, b) => a - b)
  return { method, path, host, expectedCodes: codes, expectedBody }
}

function tlsCheck(given: GivenCheck, base: TlsCheck): TlsCheck {
  const { sni, caFile, insecureSkipVerify } = { ...base, ...given }
  return { sni: sni === null ? null : sni.toLowerCase(), caFile, insecureSkipVerify }
}

/** Completes checks. Equal ones are one object, which is quick to compare. */
export type Checks = (draft: DraftCheck) => HealthCheck

export function checksOn(base: HealthCheck): Checks {
  const known = new Map<string, HealthCheck>()
  return (draft) => {
    const check = healthCheckFrom(draft, base)
    const key = JSON.stringify(check)
    const same = known.get(key) ?? check
    known.set(key, same)
    return same
  }
}
