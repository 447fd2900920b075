import fc from 'fast-check'
import { expect, test } from 'vitest'
import { observe, resumeBreaker, tick } from '../../../src/engine/breaker/breaker.ts'
import type { Breaker } from '../../../src/engine/breaker/breaker.ts'
import { BUCKETS, totalOf } from '../../../src/engine/breaker/window.ts'
import type { Outcomes } from '../../../src/engine/model/counters.ts'
import type { CircuitBreaker } from '../../../src/engine/model/policy.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'
import { POLICY } from './policy.ts'

const FRESH = resumeBreaker(FRESH_RUNTIME.breaker)

const policies: fc.Arbitrary<CircuitBreaker> = fc.record({
  enabled: fc.constant(true),
  errorThresholdPct: fc.integer({ min: 1, max: 100 }),
  minRequests: fc.integer({ min: 1, max: 30 }),
  openDurationMs: fc.integer({ min: 1000, max: 20_000 }),
  halfOpenRequests: fc.integer({ min: 1, max: 5 }),
  windowSizeMs: fc.integer({ min: 1000, max: 30_000 }),
})
const outcomes: fc.Arbitrary<Outcomes> = fc.record({
  successes: fc.integer({ min: 0, max: 12 }),
  errors: fc.integer({ min: 0, max: 6 }),
})
/** Moments, at each of which several deliveries come. */
const events = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 5000 }),
    deliveries: fc.array(outcomes, { maxLength: 4 }),
  }),
  { maxLength: 40 },
)
type Events = typeof events extends fc.Arbitrary<infer T> ? T : never

/** The states it goes through, with all that comes at a moment judged at once. */
function run(
  script: Events,
  policy: CircuitBreaker,
  each?: (before: Breaker, after: Breaker, now: number) => void,
) {
  let breaker = FRESH
  let now = 1_700_000_000_000
  const states: Breaker[] = []
  for (const { after, deliveries } of script) {
    now += after
    const before = breaker
    for (const one of deliveries) breaker = observe(breaker, one, now, policy)
    breaker = tick(breaker, now, policy).breaker
    each?.(before, breaker, now)
    states.push(breaker)
  }
  return states
}

const sum = (list: readonly Outcomes[]): Outcomes => ({
  successes: list.reduce((total, { successes }) => total + successes, 0),
  errors: list.reduce((total, { errors }) => total + errors, 0),
})

test('it opens only with enough requests in the window, and enough of them errors', () => {
  fc.assert(
    fc.property(events, policies, (script, policy) => {
      const past: (Outcomes & { at: number })[] = []
      let index = 0
      run(script, policy, (before, after, now) => {
        past.push({ ...sum(script[index++]!.deliveries), at: now })
        if (before.state !== 'closed' || after.state === 'closed') return
        const recent = past.filter(({ at }) => now - at < policy.windowSizeMs && at >= before.since)
        expect(recent.length).toBeGreaterThan(0)
        const { errors } = sum(recent)
        expect(errors).toBeGreaterThan(0)
        // What it counted is among these: it may have forgotten the oldest of them.
        const { successes } = sum(recent)
        expect(successes + errors).toBeGreaterThanOrEqual(policy.minRequests)
      })
    }),
  )
})

test('the portions in which a moment is delivered, and their order, change nothing', () => {
  fc.assert(
    fc.property(events, policies, (script, policy) => {
      const whole = script.map((one) => ({ ...one, deliveries: [sum(one.deliveries)] }))
      const reversed = script.map((one) => ({ ...one, deliveries: one.deliveries.toReversed() }))
      const states = run(script, policy)
      expect(run(whole, policy)).toEqual(states)
      expect(run(reversed, policy)).toEqual(states)
    }),
  )
})

test('the window forgets what is as old as itself, and nothing younger than 19/20 of that', () => {
  fc.assert(
    fc.property(events, fc.integer({ min: 1000, max: 300_000 }), (script, windowSizeMs) => {
      const policy = { ...POLICY, windowSizeMs, minRequests: 1_000_000 }
      const past: (Outcomes & { at: number })[] = []
      let index = 0
      run(script, policy, (_, { window, pending }, now) => {
        expect(pending).toBe(false)
        past.push({ ...sum(script[index++]!.deliveries), at: now })
        const within = (ms: number): Outcomes => sum(past.filter(({ at }) => now - at < ms))
        const { errors } = totalOf(window.filter(({ at }) => now - at < windowSizeMs))
        expect(errors).toBeLessThanOrEqual(within(windowSizeMs).errors)
        expect(errors).toBeGreaterThanOrEqual(within(windowSizeMs - Math.ceil(windowSizeMs / BUCKETS)).errors)
      })
    }),
  )
})

test('its memory is bounded, also while the policy changes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), policies), { minLength: 200, maxLength: 400 }),
      (steps) => {
        let breaker = FRESH
        let now = 0
        for (const [after, policy] of steps) {
          now += after
          breaker = observe(breaker, { successes: 1, errors: 0 }, now, policy)
          expect(breaker.window.length).toBeLessThanOrEqual(BUCKETS + 1)
        }
      },
    ),
    // Making a failure smaller would take for ever.
    { numRuns: 20, endOnFailure: true },
  )
  let breaker = FRESH
  for (let now = 0; now < 100_000; now += 7) {
    breaker = observe(breaker, { successes: 1, errors: 0 }, now, POLICY)
    expect(breaker.window.length).toBeLessThanOrEqual(BUCKETS + 1)
  }
})

test('a breaker that is resumed goes on from its state as one that never saw anything', () => {
  fc.assert(
    fc.property(events, events, policies, (before, after, policy) => {
      const last = run(before, policy).at(-1) ?? FRESH
      const resumed = resumeBreaker(last)
      expect(resumed).toMatchObject({ state: last.state, since: last.since, forced: last.forced })
      if (last.state !== 'open') return
      // An open one has nothing to remember.
      let [one, other] = [last, resumed]
      let now = last.since
      for (const { after: ms, deliveries } of after) {
        now += ms
        for (const delivery of deliveries) {
          one = observe(one, delivery, now, policy)
          other = observe(other, delivery, now, policy)
        }
        one = tick(one, now, policy).breaker
        other = tick(other, now, policy).breaker
        expect(other).toEqual(one)
      }
    }),
  )
})
