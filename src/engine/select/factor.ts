/** What is left of a target's configured weight, by what is known of it, and the one cause that is named for it. */
import { LOAD_ONE } from '../model/runtime.ts'
import type { TargetRuntime, WeightCause } from '../model/runtime.ts'

export interface Factor {
  /** In millionths of the configured weight: a whole number. */
  readonly factor: number
  readonly cause: WeightCause
}

/** The share of its weight that a target has while its breaker is half open. */
const HALF_OPEN = LOAD_ONE / 10

/** All of its weight, and nothing that takes any of it off. */
export const WHOLE: Factor = { factor: LOAD_ONE, cause: 'configured' }

/**
 * The factors of drain, breaker, health, recovery and load, multiplied. The cause named is the one that takes
 * the most off; of several that take the same, the first in that order.
 */
export function factorOf(runtime: TargetRuntime): Factor {
  if (isWhole(runtime)) return WHOLE
  let factor = LOAD_ONE
  let cause: WeightCause = 'configured'
  let least = LOAD_ONE
  for (const [name, own] of partsOf(runtime)) {
    factor = (factor * own) / LOAD_ONE
    if (own < least) {
      least = own
      cause = name
    }
  }
  // A target that has some weight left is not one that has none.
  return { factor: least === 0 ? 0 : Math.max(1, Math.round(factor)), cause }
}

/** Of nearly all targets nearly all of the time: lists can be long, and are gone through for each change. */
function isWhole({ health, drain, breaker, load }: TargetRuntime): boolean {
  const isSound = health.state !== 'unhealthy' && health.recovery === 4 && breaker.state === 'closed'
  return isSound && drain.state === 'none' && load === LOAD_ONE
}

/** Whether a target was taken out by a drain, whatever has become of its connections. */
export function isDrained({ drain }: TargetRuntime): boolean {
  return drain.state !== 'none'
}

/** What each cause leaves, in the order of precedence. */
export function partsOf(runtime: TargetRuntime): readonly (readonly [WeightCause, number])[] {
  const { health, breaker, load } = runtime
  const unhealthy = health.state === 'unhealthy'
  return [
    ['drain', isDrained(runtime) ? 0 : LOAD_ONE],
    ['breaker', breaker.state === 'closed' ? LOAD_ONE : breaker.state === 'open' ? 0 : HALF_OPEN],
    ['health', unhealthy ? 0 : LOAD_ONE],
    ['recovery', unhealthy ? LOAD_ONE : (LOAD_ONE / 4) * health.recovery],
    ['load', load],
  ]
}
