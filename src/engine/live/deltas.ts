/** What was counted between two readings of the counters. */
import { NO_COUNTERS } from '../model/counters.ts'
import type { BackendCounters, CounterSnapshot } from '../model/counters.ts'

/** Those that never go back, but where somebody has set them to zero. */
const GROWING = [
  'opened',
  'closed',
  'established',
  'refused',
  'timedOut',
  'reset',
  'ended',
  'removed',
] as const
const NAMES = Object.keys(NO_COUNTERS) as (keyof BackendCounters)[]

/**
 * By identity, for every backend of the later reading. The first reading of all is where counting begins,
 * so nothing was counted before it. After that:
 * - a backend that is new, or has another row, counts from zero, for rows are zero when they are handed out;
 * - one whose counters went back was set to zero by somebody, and nothing can be told until next time.
 *   Too little rather than too much: of what is counted, breakers are made to open.
 *
 * Proxies that share a backend each get all that was counted for it: their breakers of that target open
 * and close alike, and traffic of one may close the half-open breaker of another.
 */
export function countedBetween(
  before: CounterSnapshot | undefined,
  after: CounterSnapshot,
): ReadonlyMap<string, BackendCounters> {
  const counted = new Map<string, BackendCounters>()
  for (const [identity, now] of after) {
    const { row, counters } = now
    const known = before?.get(identity)
    if (known === now) {
      counted.set(identity, NO_COUNTERS)
      continue
    }
    const from = known?.row === row ? known.counters : before ? NO_COUNTERS : counters
    const wentBack = GROWING.some((name) => counters[name] < from[name])
    counted.set(identity, wentBack ? NO_COUNTERS : difference(counters, from))
  }
  return counted
}

/** A reply that is left to the stack is taken back after it was counted: between readings, packets may go back by a few. */
function difference(to: BackendCounters, from: BackendCounters): BackendCounters {
  if (NAMES.every((name) => to[name] === from[name])) return NO_COUNTERS
  const counted: Partial<Record<keyof BackendCounters, number>> = {}
  for (const name of NAMES) counted[name] = Math.max(0, to[name] - from[name])
  return counted as BackendCounters
}
