/**
 * The circuit breaker of one target. CLOSED: traffic flows, and outcomes are gathered in a sliding window;
 * too many errors among enough of them open it. OPEN: no traffic, and outcomes are ignored, until its
 * time is over. HALF-OPEN: a tenth of the traffic; so many successes and no error close it, any error
 * opens it again.
 *
 * `observe` takes note and `tick` decides, so that what was observed before a tick counts as a whole, in
 * whatever order and portions it came. Only errors open: that successes leave the window does not.
 *
 * A connection that was made before the breaker opened may fail when it is half-open, and open it again.
 */
import type { Outcomes } from '../model/counters.ts'
import type { CircuitBreaker } from '../model/policy.ts'
import type { BreakerState, TargetRuntime } from '../model/runtime.ts'
import { addOutcomes, forget, NO_WINDOW, totalOf } from './window.ts'
import type { Window } from './window.ts'

export interface Breaker {
  readonly state: BreakerState
  /** When it came to that state. */
  readonly since: number
  /** Opened by hand. */
  readonly forced: boolean
  /** What was observed: while closed, of the latest `windowSizeMs`; while half-open, of all the time. */
  readonly window: Window
  /** An error was observed that no tick has judged yet. */
  readonly pending: boolean
}

export type BreakerCause = 'errors' | 'time' | 'successes' | 'disabled' | 'hand'

export interface BreakerTransition {
  readonly from: BreakerState
  readonly to: BreakerState
  readonly cause: BreakerCause
}

export interface BreakerStep {
  readonly breaker: Breaker
  /** `null`: its state is what it was. */
  readonly transition: BreakerTransition | null
}

/** What survives a restart of the daemon, as a breaker: the window begins empty. */
export function resumeBreaker({ state, since, forced }: TargetRuntime['breaker']): Breaker {
  return { state, since, forced, window: NO_WINDOW, pending: false }
}

/** What is kept of a breaker outside the daemon. */
export function breakerRuntime({ state, since, forced }: Breaker): TargetRuntime['breaker'] {
  return { state, since, forced }
}

/** Takes note of outcomes; what follows from them, `tick` says. */
export function observe(breaker: Breaker, outcomes: Outcomes, now: number, policy: CircuitBreaker): Breaker {
  const { state, window, pending } = breaker
  if (!policy.enabled || state === 'open') return breaker
  if (outcomes.successes === 0 && outcomes.errors === 0) return breaker
  const size = spanOf(breaker, policy)
  return {
    ...breaker,
    window: addOutcomes(window, outcomes, now, size),
    pending: pending || outcomes.errors > 0,
  }
}

/** What follows from what was observed, and from the time. */
export function tick(breaker: Breaker, now: number, policy: CircuitBreaker): BreakerStep {
  if (breaker.forced) return stay(breaker)
  if (!policy.enabled)
    return breaker.state === 'closed' ? stay(breaker) : go(breaker, 'closed', now, 'disabled')
  switch (breaker.state) {
    case 'closed':
      return tickClosed(breaker, now, policy)
    case 'open':
      return tickOpen(breaker, now, policy)
    case 'half-open':
      return tickHalfOpen(breaker, now, policy)
  }
}

/** When `tick` has something to say that nothing observed announces; `null`: never. */
export function nextDeadline({ state, since, forced }: Breaker, policy: CircuitBreaker): number | null {
  if (forced) return null
  if (!policy.enabled) return state === 'closed' ? null : since
  return state === 'open' ? since + policy.openDurationMs : null
}

/** Opened by hand: it stays open until it is closed by hand. */
export function forceOpen(breaker: Breaker, now: number): BreakerStep {
  const { breaker: opened, transition } = go(breaker, 'open', now, 'hand')
  return { breaker: { ...opened, forced: true }, transition }
}

/** Closed by hand, or set back to how it began: what it has seen is forgotten. */
export function forceClosed(breaker: Breaker, now: number): BreakerStep {
  return go(breaker, 'closed', now, 'hand')
}

/** The share of errors among what the window holds, 0 to 1; 0 where it is empty. */
export function errorRate(breaker: Breaker, now: number, policy: CircuitBreaker): number {
  const { successes, errors } = totalOf(forget(breaker.window, now, spanOf(breaker, policy)))
  return errors === 0 ? 0 : errors / (successes + errors)
}

/** How far back it looks. Half-open, traffic is so little that successes count whenever they come. */
function spanOf({ state }: Breaker, { windowSizeMs }: CircuitBreaker): number {
  return state === 'half-open' ? Infinity : windowSizeMs
}

function tickClosed(breaker: Breaker, now: number, policy: CircuitBreaker): BreakerStep {
  if (!breaker.pending) return stay(breaker)
  const window = forget(breaker.window, now, policy.windowSizeMs)
  const { successes, errors } = totalOf(window)
  const requests = successes + errors
  const tooMany = errors * 100 >= requests * policy.errorThresholdPct
  if (errors > 0 && requests >= policy.minRequests && tooMany) return go(breaker, 'open', now, 'errors')
  return stay({ ...breaker, window, pending: false })
}

function tickOpen(breaker: Breaker, now: number, policy: CircuitBreaker): BreakerStep {
  return now - breaker.since >= policy.openDurationMs ? go(breaker, 'half-open', now, 'time') : stay(breaker)
}

function tickHalfOpen(breaker: Breaker, now: number, policy: CircuitBreaker): BreakerStep {
  if (breaker.pending) return go(breaker, 'open', now, 'errors')
  const { successes } = totalOf(breaker.window)
  return successes >= policy.halfOpenRequests ? go(breaker, 'closed', now, 'successes') : stay(breaker)
}

function stay(breaker: Breaker): BreakerStep {
  return { breaker, transition: null }
}

function go({ state }: Breaker, to: BreakerState, now: number, cause: BreakerCause): BreakerStep {
  return {
    breaker: { state: to, since: now, forced: false, window: NO_WINDOW, pending: false },
    transition: state === to ? null : { from: state, to, cause },
  }
}
