/** Which checks there are to make, and for whom each speaks. */
import { compareText } from '../model/order.ts'
import type { HealthCheck } from '../model/policy.ts'
import type { ProbeRequest } from '../model/probe.ts'
import type { TargetKey } from '../model/runtime.ts'
import type { HealthLimits } from './health.ts'

/** A target as a list of a proxy has it, and how it is to be checked there. */
export interface CheckedTarget {
  readonly key: TargetKey
  readonly check: HealthCheck
}

export interface DistinctCheck {
  /** Says all that the check is: the same text for the same check in every process. */
  readonly id: string
  readonly request: ProbeRequest
  /** Each result goes to all of these, each with thresholds of its own. */
  readonly targets: readonly { readonly key: TargetKey; readonly limits: HealthLimits }[]
}

/**
 * The checks to make, by id: what is asked of one address and port in the same way and at the same interval is asked
 * once. A target with `none` has no check. One that lists of its proxy check in different ways has that
 * with the first id only, as rows of results of two checks would break each other.
 */
export function distinctChecks(targets: Iterable<CheckedTarget>): ReadonlyMap<string, DistinctCheck> {
  const chosen = new Map<string, { id: string; target: CheckedTarget }>()
  for (const target of targets) {
    if (target.check.type === 'none') continue
    const id = identity(target)
    const key = targetId(target.key)
    const other = chosen.get(key)
    if (other === undefined || compareText(id, other.id) < 0) chosen.set(key, { id, target })
  }
  const checks = new Map<
    string,
    { id: string; request: ProbeRequest; targets: DistinctCheck['targets'][number][] }
  >()
  for (const [, { id, target }] of [...chosen].sort(([a], [b]) => compareText(a, b))) {
    const known = checks.get(id) ?? { id, request: requestOf(target), targets: [] }
    known.targets.push({ key: target.key, limits: target.check })
    checks.set(id, known)
  }
  return checks
}

function targetId({ proxy, ip, port, protocol }: TargetKey): string {
  return `${proxy} ${ip} ${port} ${protocol}`
}

function requestOf({ key, check }: CheckedTarget): ProbeRequest {
  return { ip: key.ip, port: check.port ?? key.port, check }
}

function identity(target: CheckedTarget): string {
  const { ip, port, check } = requestOf(target)
  const { http, tls } = check
  return JSON.stringify([
    ...[ip, port, check.type, check.intervalMs, check.timeoutMs],
    http && [
      http.method,
      http.path,
      http.host,
      [...http.expectedCodes].sort((a, b) => a - b),
      http.expectedBody,
    ],
    tls && [tls.sni, tls.caFile, tls.insecureSkipVerify],
  ])
}
