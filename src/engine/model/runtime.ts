/**
 * What is known about targets at run time. It is kept outside generations, in the pinned map `runtime`, by
 * proxy and target, so that it survives applies, rollbacks and the daemon. Times are milliseconds
 * of the host's monotonic clock (clocks.ts); 0: never.
 */
import type { Protocol } from './snapshot.ts'

/** A target of a proxy, in any of its lists: all of them share what is known about it. */
export interface TargetKey {
  readonly proxy: string
  readonly ip: string
  readonly port: number
  readonly protocol: Protocol
}

export type HealthState = 'unknown' | 'healthy' | 'unhealthy'
export type DrainState = 'none' | 'draining' | 'completed' | 'timeout'
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Steps of recovery: this many quarters of its weight. */
export type RecoveryStep = 1 | 2 | 3 | 4

export interface TargetRuntime {
  readonly health: { readonly state: HealthState; readonly since: number; readonly recovery: RecoveryStep }
  readonly drain: {
    readonly state: DrainState
    readonly since: number
    /** 0: no deadline. */
    readonly deadline: number
    /** Connections when it began. */
    readonly initial: number
  }
  /** `forced`: opened by hand, and stays so until closed or reset by hand. */
  readonly breaker: { readonly state: BreakerState; readonly since: number; readonly forced: boolean }
  /** By how many connections it has: its weight times this. 0 to LOAD_ONE. */
  readonly load: number
}

/** One whole, for factors in millionths. */
export const LOAD_ONE = 1_000_000

export const FRESH_RUNTIME: TargetRuntime = {
  health: { state: 'unknown', since: 0, recovery: 4 },
  drain: { state: 'none', since: 0, deadline: 0, initial: 0 },
  breaker: { state: 'closed', since: 0, forced: false },
  load: LOAD_ONE,
}

/** Why a target has the weight that it has. `configured`: nothing takes anything off. */
export type WeightCause = 'configured' | 'health' | 'recovery' | 'drain' | 'breaker' | 'load' | 'fallback'

/** A change of a target's weight, the latest hundred of which are kept. */
export interface WeightChange {
  readonly at: number
  readonly cause: WeightCause
  /** In millionths of the configured weight. */
  readonly from: number
  readonly to: number
}
