/**
 * Effective weights: what is configured and what is known of targets at run time, composed. The one place where
 * health, recovery, drain, breaker and load meet; docs/weights.md has its table.
 */
import type { TargetRuntime } from '../model/runtime.ts'
import { apportion } from './apportion.ts'
import { factorOf, isDrained, WHOLE } from './factor.ts'
import type { Factor } from './factor.ts'
import { selectionRun, spread } from './run.ts'

/** What a target of a list gets. */
export interface Share extends Factor {
  /** Entries of the run that name it. */
  readonly entries: number
}

export interface EffectiveShares {
  /** One for each target, in the order of the list. */
  readonly shares: readonly Share[]
  /** Which target each entry of the run names, as indices into the list; as long as that of `selectionRun`. */
  readonly run: readonly number[]
}

/**
 * What a list's targets get, from their configured weights and what is known of each. With nothing taken off, the
 * run is that of `selectionRun`. Where nothing would be left of any of them, those that are not drained have their
 * configured weights, and where all are drained, all.
 */
export function effectiveShares(
  weights: readonly (number | null)[],
  runtimes: readonly TargetRuntime[],
): EffectiveShares {
  const factors = resolve(runtimes)
  const configured = selectionRun(weights)
  const before = countEntries(configured, weights.length)
  const entries = factors.every(({ factor }) => factor === factors[0]?.factor)
    ? before
    : apportion(
        factors.map(({ factor }, i) => (weights[i] ?? 1) * factor),
        configured.length,
      )
  const same = entries.every((count, i) => count === before[i])
  return {
    shares: factors.map(({ factor, cause }, i) => ({ factor, cause, entries: entries[i]! })),
    run: same ? configured : spread(entries),
  }
}

/** What is left of each target's weight; never nothing of all. */
export function resolve(runtimes: readonly TargetRuntime[]): Factor[] {
  const factors = runtimes.map(factorOf)
  if (factors.some(({ factor }) => factor > 0)) return factors
  const all = runtimes.every(isDrained)
  return factors.map((factor, i) => {
    return all || !isDrained(runtimes[i]!) ? { ...WHOLE, cause: 'fallback' } : factor
  })
}

function countEntries(run: readonly number[], members: number): number[] {
  const counts = new Array<number>(members).fill(0)
  for (const member of run) counts[member]! += 1
  return counts
}
