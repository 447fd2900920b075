import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countedBetween } from '../../../src/engine/live/deltas.ts'
import {
  activeConnections,
  NO_COUNTERS,
  outcomesOf,
  trackedConnections,
} from '../../../src/engine/model/counters.ts'
import type { BackendCounters, CountedBackend, CounterSnapshot } from '../../../src/engine/model/counters.ts'

const NAMES = Object.keys(NO_COUNTERS) as (keyof BackendCounters)[]

function snapshot(backends: Record<string, Partial<BackendCounters> & { row?: number }>): CounterSnapshot {
  return new Map(
    Object.entries(backends).map(([name, { row = 0, ...counters }]): [string, CountedBackend] => [
      name,
      { row, counters: { ...NO_COUNTERS, ...counters } },
    ]),
  )
}

/** What was counted, without what is zero. */
function counted(before: CounterSnapshot | undefined, after: CounterSnapshot): Record<string, object> {
  return Object.fromEntries(
    [...countedBetween(before, after)].map(([name, counters]) => [
      name,
      Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0)),
    ]),
  )
}

describe('what was counted', () => {
  test('is the difference, of every backend by itself', () => {
    const before = snapshot({ a: { opened: 5, refused: 1 }, b: { row: 1, opened: 100, bytesForward: 3 } })
    const after = snapshot({ a: { opened: 7, refused: 4 }, b: { row: 1, opened: 100, bytesForward: 10 } })
    expect(counted(before, after)).toEqual({ a: { opened: 2, refused: 3 }, b: { bytesForward: 7 } })
  })

  test('is nothing at the first reading', () => {
    expect(counted(undefined, snapshot({ a: { opened: 5 } }))).toEqual({ a: {} })
  })

  test('of a backend that is new begins at zero', () => {
    expect(counted(new Map(), snapshot({ a: { opened: 5 } }))).toEqual({ a: { opened: 5 } })
  })

  test('of a backend that has another row begins at zero', () => {
    const before = snapshot({ a: { row: 3, opened: 100, reset: 9 } })
    expect(counted(before, snapshot({ a: { row: 4, opened: 120, reset: 1 } }))).toEqual({
      a: { opened: 120, reset: 1 },
    })
  })

  test('of another backend that has its row begins at zero too', () => {
    const before = snapshot({ a: { row: 3, opened: 100 } })
    expect(counted(before, snapshot({ b: { row: 3, opened: 4 } }))).toEqual({ b: { opened: 4 } })
  })

  test('is nothing of a backend that is gone', () => {
    expect(counted(snapshot({ a: { opened: 5 } }), new Map())).toEqual({})
  })

  test.each(['opened', 'closed', 'established', 'refused', 'timedOut', 'reset', 'ended'] as const)(
    'cannot be told where %s went back: set to zero, or made anew',
    (name) => {
      const before = snapshot({ a: { opened: 10, closed: 10, bytesForward: 5, [name]: 50 } })
      const after = snapshot({ a: { opened: 20, closed: 20, bytesForward: 9, [name]: 49 } })
      expect(counted(before, after)).toEqual({ a: {} })
      // From there on it can.
      expect(
        counted(after, snapshot({ a: { opened: 20, closed: 21, bytesForward: 9, [name]: 51 } })),
      ).not.toEqual({
        a: {},
      })
    },
  )

  test('is not put off by a packet that was taken back', () => {
    const before = snapshot({ a: { packetsReverse: 10, bytesReverse: 1000, refused: 1 } })
    const after = snapshot({ a: { packetsReverse: 9, bytesReverse: 940, refused: 3 } })
    expect(counted(before, after)).toEqual({ a: { refused: 2 } })
  })

  test('adds up to the difference of the ends, over any readings between', () => {
    const step = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.nat(1000)])))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
        let at: BackendCounters = NO_COUNTERS
        let sum: BackendCounters = NO_COUNTERS
        const plus = (a: BackendCounters, b: Partial<BackendCounters>): BackendCounters =>
          Object.fromEntries(
            NAMES.map((name) => [name, a[name] + (b[name] ?? 0)]),
          ) as unknown as BackendCounters
        for (const one of steps) {
          const next = plus(at, one)
          const [[, delta] = ['', NO_COUNTERS]] = countedBetween(snapshot({ a: at }), snapshot({ a: next }))
          sum = plus(sum, delta)
          at = next
        }
        expect(sum).toEqual(at)
      }),
    )
  })

  test('is never negative, whatever the readings say', () => {
    const any = fc.record({
      row: fc.nat(1),
      counters: fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.nat(5)]))),
    }) as unknown as fc.Arbitrary<CountedBackend>
    fc.assert(
      fc.property(any, any, (before, after) => {
        for (const delta of countedBetween(new Map([['a', before]]), new Map([['a', after]])).values()) {
          for (const name of NAMES) {
            expect(delta[name]).toBeGreaterThanOrEqual(0)
            expect(delta[name]).toBeLessThanOrEqual(after.counters[name])
          }
        }
      }),
    )
  })
})

test('outcomes: a connection that is reset after its handshake is one error', () => {
  expect(outcomesOf({ ...NO_COUNTERS, established: 10 })).toEqual({ successes: 10, errors: 0 })
  expect(outcomesOf({ ...NO_COUNTERS, established: 10, refused: 1, timedOut: 2, reset: 4 })).toEqual({
    successes: 6,
    errors: 7,
  })
  // All that a backend accepts, it resets: each request is an error.
  expect(outcomesOf({ ...NO_COUNTERS, established: 10, reset: 10 })).toEqual({ successes: 0, errors: 10 })
})

test('connections: records, and those that are not over', () => {
  const counters = { ...NO_COUNTERS, opened: 10, closed: 2, ended: 7 }
  expect(trackedConnections(counters)).toBe(8)
  expect(activeConnections(counters)).toBe(3)
  // Read while the data plane counts on, or from rows of an older version.
  expect(activeConnections({ ...counters, ended: 12 })).toBe(0)
})
