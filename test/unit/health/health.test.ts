import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  observe,
  observePassive,
  resumeHealth,
  type Health,
  type HealthLimits,
} from '../../../src/engine/health/health.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'

const fresh = resumeHealth(FRESH_RUNTIME.health)

/** `+` and `-`: a probe; `x`: a handshake that failed; `X`: a hundred of them. */
function step(health: Health, event: string, at: number, limits: HealthLimits): Health {
  switch (event) {
    case '+':
    case '-':
      return observe(health, event === '+', at, limits)
    default:
      return observePassive(health, event === 'x' ? 1 : 100, limits)
  }
}

/** `u` unknown, `d` unhealthy, `U` healthy with its whole weight, 1 to 3 with so many quarters of it. */
function letter({ record: { state, recovery } }: Health): string {
  if (state === 'healthy') return recovery === 4 ? 'U' : `${recovery}`
  return state === 'unknown' ? 'u' : 'd'
}

function run(script: string, limits: HealthLimits, from: Health = fresh): string {
  let health = from
  return Array.from(script)
    .map((event, at) => letter((health = step(health, event, at, limits))))
    .join('')
}

const limits = { healthyThreshold: 2, unhealthyThreshold: 3 }
const nervous = { healthyThreshold: 1, unhealthyThreshold: 1 }

describe('states after each event', () => {
  test.each([
    ['the first result decides', limits, '+', 'U'],
    ['the first result decides', limits, '-', 'd'],
    ['a dead target that comes up', limits, '---+++++++', 'dddd123UUU'],
    ['failures in a row', limits, '+--+--+---', 'UUUUUUUUUd'],
    ['successes in a row', limits, '-+-+-+-++', 'dddddddd1'],
    ['a failure on the way back adds nothing', limits, '-++-+-+-+', 'dd112233U'],
    ['unhealthy again: the steps start anew', limits, '-+++---+++', 'dd1222dd12'],
    ['thresholds of one', nervous, '+-+-++++', 'Ud1d123U'],
    ['ten successes', { healthyThreshold: 10, unhealthyThreshold: 1 }, '-++++++++++', 'dddddddddd1'],
    ['failed handshakes leave the last word to a probe', limits, '+xxxxx-', 'UUUUUUd'],
    ['a hundred of them at once too', limits, '+X-', 'UUd'],
    ['a success takes them back', limits, '+X+--', 'UUUUU'],
    ['they and failed probes are one row', limits, '+-x-', 'UUUd'],
    ['with a threshold of one a probe decides alone', nervous, '+XX+-', 'UUUUd'],
    ['they say nothing of a target that is unknown or unhealthy', limits, 'X-X+X+', 'udddd1'],
  ] as const)('%s', (_, given, script, states) => {
    expect(run(script, given)).toBe(states)
  }) // prettier-ignore
})

describe('what the kernel keeps', () => {
  test('carries on from it, but for the row that was begun', () => {
    const at = (script: string): Health =>
      Array.from(script).reduce((h, e, i) => step(h, e, i, limits), fresh)
    const { record } = at('-++')
    expect(record).toEqual({ state: 'healthy', since: 2, recovery: 1 })
    expect(run('+++', limits, resumeHealth(record))).toBe('23U')
    expect(run('--', limits, at('+-'))).toBe('Ud')
    expect(run('--', limits, resumeHealth(at('+-').record))).toBe('UU')
  })

  test('is the same object as long as nothing changes', () => {
    const healthy = observe(fresh, true, 1, limits)
    for (const events of ['+', '-', '--', '+-+', 'X', '-X+']) {
      const after = Array.from(events).reduce((health, event) => step(health, event, 9, limits), healthy)
      expect(after.record).toBe(healthy.record)
    }
  })
})

const event = fc.constantFrom('+', '+', '-', '-', 'x', 'X')
const anyLimits = fc.record({
  healthyThreshold: fc.integer({ min: 1, max: 10 }),
  unhealthyThreshold: fc.integer({ min: 1, max: 10 }),
})

describe('whatever happens', () => {
  test('the results of other targets in between change nothing', () => {
    const delivery = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), event), { maxLength: 200 })
    fc.assert(
      fc.property(delivery, anyLimits, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (events, given, random) => {
        // The same results of each target in the same order, interleaved in another way.
        const queues = [0, 1, 2, 3, 4].map((target) => events.filter(([of]) => of === target))
        const shuffled: typeof events = []
        while (shuffled.length < events.length) {
          const waiting = queues.filter((queue) => queue.length > 0)
          const drawn = waiting[Math.floor((random.next().value as number) * 0.999 * waiting.length)]!
          shuffled.push(drawn.shift()!)
        }
        expect(deliver(shuffled, given)).toEqual(deliver(events, given))
      }),
    ) // prettier-ignore
  })

  test('the state says what the last results were', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), anyLimits, (events, given) => {
        const states = run(events.join(''), given)
        const probes = events.filter((e) => e === '+' || e === '-').join('')
        if (probes === '') expect(states).toMatch(/^u+$/)
        if (probes.endsWith('-'.repeat(given.unhealthyThreshold))) expect(states).toMatch(/d$/)
        if (probes.endsWith('+'.repeat(given.healthyThreshold + 3))) expect(states).toMatch(/U$/)
        // Weight comes back by a quarter at a time, and no weight is taken but all of it.
        expect(states).not.toMatch(/d[23U]|1[3U]|2[1U]|3[12]|U[123]/)
      }),
    )
  })
})

function deliver(events: readonly (readonly [number, string])[], given: HealthLimits): string[] {
  const targets = Array.from({ length: 5 }, () => fresh)
  for (const [target, e] of events) targets[target] = step(targets[target]!, e, 0, given)
  return targets.map((health) => `${letter(health)}${health.against}`)
}
