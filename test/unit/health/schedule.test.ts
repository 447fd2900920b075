import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allFinished,
  createSchedule,
  finished,
  hasten,
  replaceChecks,
  start,
  type Schedule,
} from '../../../src/engine/health/schedule.ts'

interface Run {
  readonly id: string
  readonly at: number
}

interface Simulation {
  schedule: Schedule
  now: number
  readonly runs: Run[]
  /** Runs under way, by when they end. */
  readonly open: { readonly id: string; readonly until: number }[]
  mostOpen: number
}

function simulation(limit: number, intervals: ReadonlyMap<string, number>, now = 0): Simulation {
  const schedule = replaceChecks(createSchedule(limit), intervals, now)
  return { schedule, now, runs: [], open: [], mostOpen: 0 }
}

/** Lets time pass as the daemon does: to the next result or the next check that is due. */
function advance(s: Simulation, until: number, lasting: (id: string) => number, random = () => 0.5): void {
  for (;;) {
    const { schedule, ids, wakeAt } = start(s.schedule, s.now)
    s.schedule = schedule
    for (const id of ids) {
      s.runs.push({ id, at: s.now })
      s.open.push({ id, until: s.now + lasting(id) })
    }
    s.mostOpen = Math.max(s.mostOpen, s.open.length)
    const next = Math.min(wakeAt ?? Infinity, ...s.open.map((run) => run.until))
    if (next > until) break
    s.now = Math.max(s.now, next)
    for (const run of s.open.filter((other) => other.until <= s.now)) {
      s.open.splice(s.open.indexOf(run), 1)
      s.schedule = finished(s.schedule, run.id, s.now, random())
    }
  }
  s.now = until
}

function checks(count: number, intervalMs: number, from = 0): Map<string, number> {
  return new Map(
    Array.from({ length: count }, (_, i) => [`10.0.${(from + i) >> 8}.${(from + i) & 255}`, intervalMs]),
  )
}

/** The most runs that begin within `ms` of each other. */
function densest(runs: readonly Run[], ms: number): number {
  const times = runs.map(({ at }) => at).sort((a, b) => a - b)
  return Math.max(...times.map((at, i) => times.slice(i).filter((other) => other < at + ms).length))
}

function gaps(runs: readonly Run[], id: string): number[] {
  const times = runs.filter((run) => run.id === id).map(({ at }) => at)
  return times.slice(1).map((at, i) => at - times[i]!)
}

describe('spread', () => {
  test('a thousand checks a second never come together, from the first on', () => {
    const s = simulation(1000, checks(1000, 1000), 5_000_123)
    advance(s, 5_010_123, () => 3)
    // Ten in 10 ms would be even; all at once would be a thousand.
    expect(densest(s.runs, 10)).toBeLessThan(35)
    expect(s.runs.length).toBeGreaterThan(9_500)
    expect(s.runs.length).toBeLessThan(10_500)
  })

  test('checks that are added bit by bit are spread no worse', () => {
    const s = simulation(1000, new Map())
    for (let count = 50; count <= 500; count += 50) {
      s.schedule = replaceChecks(s.schedule, checks(count, 10_000), s.now)
      advance(s, s.now + 100, () => 3)
    }
    const from = s.now + 20_000
    advance(s, from + 10_000, () => 3)
    const later = s.runs.filter(({ at }) => at > from)
    expect(later.length).toBeGreaterThan(490)
    expect(densest(later, 100)).toBeLessThan(25)
  })

  test('the first check is made within a second, however long the interval', () => {
    const s = simulation(1000, checks(200, 300_000))
    advance(s, 1000, () => 1)
    expect(new Set(s.runs.map(({ id }) => id)).size).toBe(200)
    expect(densest(s.runs, 10)).toBeLessThan(15)
  })

  test('the random part is a twentieth of the interval to either side', () => {
    const s = simulation(10, new Map([['a', 1000]]))
    advance(
      s,
      10_000,
      () => 0,
      () => 0.5,
    )
    const place = s.runs[5]!.at % 1000
    for (const [random, shift] of [
      [0, -50],
      [0.5, 0],
      [1, 50],
    ] as const) {
      // prettier-ignore
      advance(s, s.now + 3000, () => 0, () => random)
      expect((s.runs.at(-1)!.at - shift) % 1000).toBeCloseTo(place)
    }
  })
})

describe('bounds', () => {
  test('no more than the limit run at once, and nobody is left out', () => {
    const s = simulation(8, checks(100, 1000))
    // 8 at once of 200 ms each are 40 a second: too few for 100 checks.
    advance(s, 30_000, () => 200)
    expect(s.mostOpen).toBe(8)
    const counts = [...checks(100, 1000).keys()].map((id) => s.runs.filter((run) => run.id === id).length)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(10)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(3)
  })

  test('two checks of a target are half an interval apart at least, and it never has two at once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2500 }), { minLength: 1 }), fc.integer({ min: 1, max: 5 }), (lengths, limit) => {
        const s = simulation(limit, checks(6, 1000))
        let n = 0
        advance(s, 30_000, () => lengths[n++ % lengths.length]!, () => (n % 11) / 10)
        for (const id of checks(6, 1000).keys()) {
          expect(Math.min(Infinity, ...gaps(s.runs, id))).toBeGreaterThanOrEqual(449)
        }
      }),
      { numRuns: 50 },
    ) // prettier-ignore
  })

  test('one that hangs for longer than its interval is not started again meanwhile', () => {
    const s = simulation(10, new Map([['a', 1000]]))
    advance(s, 20_000, () => 2600)
    expect(s.mostOpen).toBe(1)
    expect(gaps(s.runs, 'a').every((gap) => gap >= 2600 && gap <= 3700)).toBe(true)
  })
})

describe('reload', () => {
  test('the same checks keep their times', () => {
    const s = simulation(10, checks(20, 1000))
    const t = simulation(10, checks(20, 1000))
    for (let i = 0; i < 40; i++) {
      advance(s, s.now + 130, () => 20)
      advance(t, t.now + 130, () => 20)
      t.schedule = replaceChecks(t.schedule, new Map([...checks(20, 1000)].reverse()), t.now)
    }
    expect(t.runs).toEqual(s.runs)
  })

  test('checks that are gone are made no more, not even one that was running', () => {
    const s = simulation(10, checks(2, 1000))
    advance(s, 1500, () => 5000)
    expect(s.open).toHaveLength(2)
    s.schedule = replaceChecks(s.schedule, checks(1, 1000), s.now)
    const seen = s.runs.length
    advance(s, 30_000, () => 0)
    expect(new Set(s.runs.slice(seen).map(({ id }) => id))).toEqual(new Set(checks(1, 1000).keys()))
    expect(s.schedule.running.size).toBe(0)
  })

  test('one that comes back while it still runs is not made twice at once', () => {
    const s = simulation(10, new Map([['a', 1000]]))
    advance(s, 1000, () => 3000)
    s.schedule = replaceChecks(s.schedule, new Map(), s.now)
    s.schedule = replaceChecks(s.schedule, new Map([['a', 1000]]), s.now)
    advance(s, 20_000, () => 0)
    expect(gaps(s.runs, 'a').slice(1).every((gap) => gap === 1000)).toBe(true) // prettier-ignore
  })

  test('ten thousand reloads leave nothing behind', () => {
    let schedule = createSchedule(10)
    for (let i = 0; i < 10_000; i++) {
      schedule = replaceChecks(schedule, checks(5, 300_000, i % 7), i)
      schedule = hasten(schedule, ['10.0.0.4'], i)
    }
    expect(JSON.stringify([...schedule.checks, schedule.waiting]).length).toBeLessThan(2000)
  })
})

describe('hastened', () => {
  test('a check is made now, and then at its place as before', () => {
    const s = simulation(10, new Map([['a', 10_000]]))
    advance(s, 35_000, () => 0)
    const place = s.runs.at(-1)!.at
    const early = place + 2000 // in the first half of the interval
    advance(s, early, () => 0)
    s.schedule = hasten(s.schedule, ['a', 'unknown'], s.now)
    advance(s, place + 25_000, () => 0)
    expect(s.runs.slice(-3).map(({ at }) => at)).toEqual([early, place + 10_000, place + 20_000])
  })

  test('one that runs is left to run', () => {
    const s = simulation(10, new Map([['a', 1000]]))
    advance(s, 1000, () => 500)
    advance(s, s.runs.at(-1)!.at + 100, () => 500)
    expect(hasten(s.schedule, ['a'], s.now)).toEqual(s.schedule)
  })
})

test('checks that end together are due again as if they had ended one after the other', () => {
  const ids = Array.from({ length: 20 }, (_, i) => `check-${i}`)
  const intervals = new Map(ids.map((id, i) => [id, 1000 + 100 * i]))
  const given = fc.record({ gone: fc.subarray(ids), ended: fc.shuffledSubarray([...ids, 'unknown']) })
  fc.assert(
    fc.property(given, ({ gone, ended }) => {
      const before = start(replaceChecks(createSchedule(100), intervals, 0), 1000).schedule
      const left = new Map([...intervals].filter(([id]) => !gone.includes(id)))
      const changed = replaceChecks(before, left, 1000)
      const together = allFinished(changed, ended, 1500, () => 0.25)
      const alone = ended.reduce((schedule, id) => finished(schedule, id, 1500, 0.25), changed)
      expect(together).toEqual(alone)
      expect(together.running.size).toBe(ids.length - ended.filter((id) => id !== 'unknown').length)
      expect(changed.running.size).toBe(ids.length)
    }),
  )
})
