/**
 * Times by which something is decided are those of the host's monotonic clock: nobody sets it, all processes of the
 * host have the same, and it begins anew when the maps do. To be shown, they are told as times of day.
 */
import type { TargetRuntime, WeightChange } from './runtime.ts'

/** Both read at once, in milliseconds. */
export interface Clocks {
  readonly monotonic: number
  /** Since 1970. */
  readonly utc: number
}

/** Milliseconds since 1970, UTC; 0 stands for never and stays. */
export function timeOfDay(at: number, { monotonic, utc }: Clocks): number {
  return at === 0 ? 0 : utc - (monotonic - at)
}

export function runtimeOfDay({ health, drain, breaker, load }: TargetRuntime, clocks: Clocks): TargetRuntime {
  return {
    health: { ...health, since: timeOfDay(health.since, clocks) },
    drain: {
      ...drain,
      since: timeOfDay(drain.since, clocks),
      deadline: timeOfDay(drain.deadline, clocks),
    },
    breaker: { ...breaker, since: timeOfDay(breaker.since, clocks) },
    load,
  }
}

export function historyOfDay(history: readonly WeightChange[], clocks: Clocks): WeightChange[] {
  return history.map((change) => ({ ...change, at: timeOfDay(change.at, clocks) }))
}
