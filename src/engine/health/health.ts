/**
 * The health of one target, by consecutive results of its check.
 *
 * - `unknown` is decided by the first result: a target that is dead when it is first seen gets no
 *   connections for longer than one probe takes, and one that works has its whole weight at once.
 * - `healthyThreshold` successes in a row make an unhealthy target healthy, `unhealthyThreshold`
 *   failures in a row a healthy one unhealthy. A result that agrees with the state ends the row.
 * - A target that was unhealthy comes back with a quarter of its weight, and each further success
 *   adds a quarter. Steps go by results and not by time, so that each is earned and a clock
 *   that is set has no part in it. A failure on the way adds nothing; becoming unhealthy
 *   starts the steps anew the next time.
 */
import type { HealthCheck } from '../model/policy.ts'
import type { RecoveryStep, TargetRuntime } from '../model/runtime.ts'

export type HealthRecord = TargetRuntime['health']
export type HealthLimits = Pick<HealthCheck, 'healthyThreshold' | 'unhealthyThreshold'>

export interface Health {
  /** What the kernel's map keeps. The same object as long as nothing in it changes: compare with `===`. */
  readonly record: HealthRecord
  /** Results in a row that speak against the state. */
  readonly against: number
}

/** As the kernel's map has it, or FRESH_RUNTIME: a row of results that was begun is not kept. */
export function resumeHealth(record: HealthRecord): Health {
  return { record, against: 0 }
}

/** One conclusive result of a probe. `at`: milliseconds since 1970. */
export function observe(health: Health, success: boolean, at: number, limits: HealthLimits): Health {
  const { record } = health
  switch (record.state) {
    case 'unknown':
      return resumeHealth({ state: success ? 'healthy' : 'unhealthy', since: at, recovery: success ? 4 : 1 })
    case 'healthy': {
      if (success) return resumeHealth(recovered(record))
      const against = health.against + 1
      if (against < limits.unhealthyThreshold) return { record, against }
      return resumeHealth({ state: 'unhealthy', since: at, recovery: 1 })
    }
    case 'unhealthy': {
      const against = success ? health.against + 1 : 0
      if (against < limits.healthyThreshold) return { record, against }
      return resumeHealth({ state: 'healthy', since: at, recovery: 1 })
    }
  }
}

/**
 * Handshakes with the target that the data plane saw fail (refused, or never answered) since it was
 * last asked. They lengthen the row of failures, but leave the last of it to a probe, which
 * is to be made at once (`hasten`): where a firewall refuses some clients only, nobody else loses the target.
 */
export function observePassive(health: Health, failures: number, limits: HealthLimits): Health {
  const against = Math.min(health.against + Math.trunc(failures), limits.unhealthyThreshold - 1)
  if (health.record.state !== 'healthy' || against <= health.against) return health
  return { record: health.record, against }
}

function recovered(record: HealthRecord): HealthRecord {
  const recovery = Math.min(4, record.recovery + 1) as RecoveryStep
  return recovery === record.recovery ? record : { ...record, recovery }
}
