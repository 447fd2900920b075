/** What is known of a target at run time, as the bytes that the maps `runtime` and `weight_log` hold. */
import { formatIp } from '../model/ip.ts'
import type {
  BreakerState,
  DrainState,
  HealthState,
  RecoveryStep,
  TargetKey,
  TargetRuntime,
  WeightCause,
  WeightChange,
} from '../model/runtime.ts'
import { LOAD_ONE } from '../model/runtime.ts'
import { addressBytes, identityOf } from './numbering.ts'
import { enums } from './layout.generated.ts'
import { inverse, protocolName, protocolNumber } from './names.ts'
import { makeRows, rowsOver, structSize } from './struct.ts'

const HEALTH = {
  unknown: enums.lb_health_state.LB_HEALTH_UNKNOWN,
  healthy: enums.lb_health_state.LB_HEALTH_HEALTHY,
  unhealthy: enums.lb_health_state.LB_HEALTH_UNHEALTHY,
} as const satisfies Record<HealthState, number>

const DRAIN = {
  none: enums.lb_drain_state.LB_DRAIN_NONE,
  draining: enums.lb_drain_state.LB_DRAIN_DRAINING,
  completed: enums.lb_drain_state.LB_DRAIN_COMPLETED,
  timeout: enums.lb_drain_state.LB_DRAIN_TIMEOUT,
} as const satisfies Record<DrainState, number>

const BREAKER = {
  closed: enums.lb_breaker_state.LB_BREAKER_CLOSED,
  open: enums.lb_breaker_state.LB_BREAKER_OPEN,
  'half-open': enums.lb_breaker_state.LB_BREAKER_HALF_OPEN,
} as const satisfies Record<BreakerState, number>

const CAUSES = {
  configured: enums.lb_weight_cause.LB_WEIGHT_CONFIGURED,
  health: enums.lb_weight_cause.LB_WEIGHT_HEALTH,
  recovery: enums.lb_weight_cause.LB_WEIGHT_RECOVERY,
  drain: enums.lb_weight_cause.LB_WEIGHT_DRAIN,
  breaker: enums.lb_weight_cause.LB_WEIGHT_BREAKER,
  load: enums.lb_weight_cause.LB_WEIGHT_LOAD,
  fallback: enums.lb_weight_cause.LB_WEIGHT_FALLBACK,
} as const satisfies Record<WeightCause, number>

const healthName = inverse<HealthState>(HEALTH)
const drainName = inverse<DrainState>(DRAIN)
const breakerName = inverse<BreakerState>(BREAKER)
const causeName = inverse<WeightCause>(CAUSES)

const { LB_RUNTIME_BREAKER_FORCED } = enums.lb_runtime_flag
const { LB_WEIGHT_CHANGES } = enums.lb_limit

export const RUNTIME_KEY_SIZE = structSize('lb_runtime_key')
export const RUNTIME_SIZE = structSize('lb_runtime')
export const WEIGHT_LOG_SIZE = structSize('lb_weight_log')

/** The key of the record that says: selection may be behind what is known. */
export const PENDING_KEY: Uint8Array = new Uint8Array(RUNTIME_KEY_SIZE)

export interface RuntimeRecord {
  readonly key: TargetKey
  readonly runtime: TargetRuntime
}

/** Targets that something is known of, by `targetId`. */
export type Runtimes = ReadonlyMap<string, RuntimeRecord>

/** A text for each target of each proxy, to key a `Map` by. */
export function targetId({ proxy, ip, port, protocol }: TargetKey): string {
  return `${identityOf(ip, port, protocol)} ${proxy}`
}

export function encodeRuntimeKey({ proxy, ip, port, protocol }: TargetKey): Uint8Array {
  const rows = makeRows('lb_runtime_key', 1)
  rows.put(0, 'addr', addressBytes(ip))
  rows.set(0, 'port_be', port)
  rows.set(0, 'proto', protocolNumber(protocol))
  rows.setText(0, 'proxy', proxy)
  return rows.bytes
}

/** `undefined` for a key that no target has. */
export function decodeRuntimeKey(bytes: Uint8Array): TargetKey | undefined {
  const rows = rowsOver('lb_runtime_key', bytes)
  const protocol = protocolName(rows.get(0, 'proto'))
  const proxy = rows.text(0, 'proxy')
  if (!protocol || proxy === '') return undefined
  return { proxy, ip: formatIp(rows.slice(0, 'addr')), port: rows.get(0, 'port_be'), protocol }
}

export function encodeRuntime({ health, drain, breaker, load }: TargetRuntime): Uint8Array {
  const rows = makeRows('lb_runtime', 1)
  rows.set(0, 'health', HEALTH[health.state])
  rows.set(0, 'health_since', health.since)
  rows.set(0, 'recovery', health.recovery)
  rows.set(0, 'drain', DRAIN[drain.state])
  rows.set(0, 'drain_since', drain.since)
  rows.set(0, 'drain_deadline', drain.deadline)
  rows.set(0, 'drain_initial', drain.initial)
  rows.set(0, 'breaker', BREAKER[breaker.state])
  rows.set(0, 'breaker_since', breaker.since)
  rows.set(0, 'flags', breaker.forced ? LB_RUNTIME_BREAKER_FORCED : 0)
  rows.set(0, 'load', load)
  return rows.bytes
}

/** Total: what is out of range, as only a foreign hand writes it, counts as if nothing were known. */
export function decodeRuntime(bytes: Uint8Array): TargetRuntime {
  const rows = rowsOver('lb_runtime', bytes)
  const recovery = rows.get(0, 'recovery')
  return {
    health: {
      state: healthName(rows.get(0, 'health')) ?? 'unknown',
      since: rows.get(0, 'health_since'),
      recovery: recovery >= 1 && recovery <= 4 ? (recovery as RecoveryStep) : 4,
    },
    drain: {
      state: drainName(rows.get(0, 'drain')) ?? 'none',
      since: rows.get(0, 'drain_since'),
      deadline: rows.get(0, 'drain_deadline'),
      initial: rows.get(0, 'drain_initial'),
    },
    breaker: {
      state: breakerName(rows.get(0, 'breaker')) ?? 'closed',
      since: rows.get(0, 'breaker_since'),
      forced: (rows.get(0, 'flags') & LB_RUNTIME_BREAKER_FORCED) !== 0,
    },
    load: Math.min(rows.get(0, 'load'), LOAD_ONE),
  }
}

/** The log with one change more; the oldest of a full one goes. `undefined`: there is none yet. */
export function appendChange(log: Uint8Array | undefined, change: WeightChange): Uint8Array {
  const rows = rowsOver('lb_weight_log', log?.slice() ?? new Uint8Array(WEIGHT_LOG_SIZE))
  const count = rows.get(0, 'count')
  const changes = rowsOver('lb_weight_change', rows.slice(0, 'changes'))
  const row = count % LB_WEIGHT_CHANGES
  changes.set(row, 'at', change.at)
  changes.set(row, 'from', change.from)
  changes.set(row, 'to', change.to)
  changes.set(row, 'cause', CAUSES[change.cause])
  // Past 2^32 it starts over at a number that has the same row.
  rows.set(
    0,
    'count',
    count + 1 < 2 ** 32 ? count + 1 : LB_WEIGHT_CHANGES + ((count + 1) % LB_WEIGHT_CHANGES),
  )
  return rows.bytes
}

/** Oldest first. */
export function decodeLog(log: Uint8Array): WeightChange[] {
  const rows = rowsOver('lb_weight_log', log)
  const count = rows.get(0, 'count')
  const changes = rowsOver('lb_weight_change', rows.slice(0, 'changes'))
  const kept = Math.min(count, LB_WEIGHT_CHANGES)
  return Array.from({ length: kept }, (_, i): WeightChange => {
    const row = (count - kept + i) % LB_WEIGHT_CHANGES
    return {
      at: changes.get(row, 'at'),
      cause: causeName(changes.get(row, 'cause')) ?? 'configured',
      from: changes.get(row, 'from'),
      to: changes.get(row, 'to'),
    }
  })
}
