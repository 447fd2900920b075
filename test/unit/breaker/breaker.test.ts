import { describe, expect, test } from 'vitest'
import {
  breakerRuntime,
  errorRate,
  forceClosed,
  forceOpen,
  nextDeadline,
  observe,
  resumeBreaker,
  tick,
} from '../../../src/engine/breaker/breaker.ts'
import type { Breaker, BreakerStep } from '../../../src/engine/breaker/breaker.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'
import { POLICY } from './policy.ts'

const FRESH = resumeBreaker(FRESH_RUNTIME.breaker)

/**
 * Plays a script: `s3` three successes, `e2` two errors, `s3,e2` both before it is judged; `+500` half a second
 * passes; `open`, `close` by hand; `restart` the daemon. Gives what changed: `1500 open errors`.
 */
function play(script: string, policy = POLICY, start = FRESH): string[] {
  let now = 0
  let breaker = start
  const seen: string[] = []
  const follow = ({ breaker: next, transition }: BreakerStep): void => {
    breaker = next
    if (transition) seen.push(`${now} ${transition.to} ${transition.cause}`)
  }
  for (const word of script.split(' ')) {
    if (word.startsWith('+')) now += Number(word)
    else if (word === 'open') follow(forceOpen(breaker, now))
    else if (word === 'close') follow(forceClosed(breaker, now))
    else if (word === 'restart') breaker = resumeBreaker(breakerRuntime(breaker))
    else {
      for (const part of word.split(',')) {
        const count = Number(part.slice(1))
        const outcomes = part.startsWith('s')
          ? { successes: count, errors: 0 }
          : { successes: 0, errors: count }
        breaker = observe(breaker, outcomes, now, policy)
      }
    }
    follow(tick(breaker, now, policy))
  }
  return seen
}

const OPENED = ['0 open errors']

/** At least 10 requests of the latest 10 s, half of them errors; open for 3 s; 3 successes close it. */
test.each<[what: string, script: string, changes: string[]]>([
  ['nothing but successes', 's100 +1000 s100', []],
  ['errors only, but too few requests', 'e9', []],
  ['errors only, and enough', 'e10', OPENED],
  ['exactly the threshold', 's5,e5', OPENED],
  ['just below the threshold', 's6,e5', []],
  ['the threshold, reached bit by bit', 's5 +100 e1 +100 e1 +100 e1 +100 e1 +100 e1', ['500 open errors']],
  ['errors first, then as many successes, judged together', 'e10,s11', []],
  ['errors that have left the window', 'e9 +10000 e1', []],
  ['errors that have nearly left it', '+4900 e9 +9400 e1', ['14300 open errors']],
  ['successes that leave the window open nothing by themselves', 's20 +5000 e11 +6000 s1', []],
  ['but the next error does', 's20 +5000 e11 +6000 s1 +1000 e1', ['12000 open errors']],
  ['a corrected success', 's10 +100 s-1,e1 s-8,e8', ['100 open errors']],
  ['open: what fares then is ignored', 'e10 +1000 s100 e100', OPENED],
  ['open: its time is not over', 'e10 +2999', OPENED],
  ['open: its time is over', 'e10 +3000', [...OPENED, '3000 half-open time']],
  ['open: its time has long been over', 'e10 +50000', [...OPENED, '50000 half-open time']],
  ['half-open: too few successes', 'e10 +3000 s2 +60000', [...OPENED, '3000 half-open time']],
  [
    'half-open: enough successes, over any time',
    'e10 +3000 s2 +60000 s1',
    [...OPENED, '3000 half-open time', '63000 closed successes'],
  ],
  ['half-open: an error', 'e10 +3000 s2 e1 +2000 s5', [...OPENED, '3000 half-open time', '3000 open errors']],
  [
    'half-open: an error among many successes',
    'e10 +3000 s50,e1',
    [...OPENED, '3000 half-open time', '3000 open errors'],
  ],
  [
    'half-open again, for the full time: successes of the first time do not count',
    'e10 +3000 s2 e1 +3000 s2',
    [...OPENED, '3000 half-open time', '3000 open errors', '6000 half-open time'],
  ],
  [
    'closed again: errors of before are forgotten',
    'e10 +3000 s3 +1 e9',
    [...OPENED, '3000 half-open time', '3000 closed successes'],
  ],
  ['opened by hand', 'open +100000 s100 e100', ['0 open hand']],
  [
    'opened by hand and closed by hand',
    'open +5 close e9 s1 e1',
    ['0 open hand', '5 closed hand', '5 open errors'],
  ],
  ['opened by itself, then by hand', 'e10 +10 open +90000', OPENED],
  [
    'half-open, and opened by hand',
    'e10 +3000 open s9 +90000',
    [...OPENED, '3000 half-open time', '3000 open hand'],
  ],
  ['closed by hand', 'e10 +10 close e9', [...OPENED, '10 closed hand']],
  ['closed by hand, closed before: errors are forgotten', 'e9 close e9', []],
  ['restarted while open', 'e10 +1000 restart +1999 +1', [...OPENED, '3000 half-open time']],
  [
    'restarted while half-open',
    'e10 +3000 s2 restart s2 restart s3',
    [...OPENED, '3000 half-open time', '3000 closed successes'],
  ],
  ['restarted while closed: the window begins empty', 'e9 restart e9 +1 e1', ['1 open errors']],
  ['restarted while opened by hand', 'open restart +90000 s99 close', ['0 open hand', '90000 closed hand']],
])('%s', (_, script, changes) => {
  expect(play(script)).toEqual(changes)
})

describe('switched off', () => {
  const off = { ...POLICY, enabled: false }

  test('never opens', () => {
    expect(play('e100 +1 e100', off)).toEqual([])
  })

  test.each(['e10', 'e10 +3000'])('closes at once: %s', (script) => {
    let breaker = FRESH
    breaker = tick(observe(breaker, { successes: 0, errors: 10 }, 0, POLICY), 0, POLICY).breaker
    if (script !== 'e10') breaker = tick(breaker, 3000, POLICY).breaker
    expect(tick(breaker, 4000, off).transition).toMatchObject({ to: 'closed', cause: 'disabled' })
  })

  test('stays open where it was opened by hand', () => {
    expect(play('open +90000', off)).toEqual(['0 open hand'])
  })
})

test('the deadline is when an open one becomes half-open', () => {
  const closed = observe(FRESH, { successes: 0, errors: 10 }, 500, POLICY)
  const { breaker: open } = tick(closed, 500, POLICY)
  const { breaker: halfOpen } = tick(open, 3500, POLICY)
  expect([closed, open, halfOpen].map(({ state }) => state)).toEqual(['closed', 'open', 'half-open'])
  expect([closed, open, halfOpen].map((one) => nextDeadline(one, POLICY))).toEqual([null, 3500, null])
  expect(nextDeadline(forceOpen(open, 600).breaker, POLICY)).toBeNull()
  expect(tick(open, 3499, POLICY).transition).toBeNull()
})

test('the rate of errors is that of the window', () => {
  const at = (breaker: Breaker, now: number): number => errorRate(breaker, now, POLICY)
  expect(at(FRESH, 0)).toBe(0)
  let breaker = observe(FRESH, { successes: 3, errors: 1 }, 0, POLICY)
  expect(at(breaker, 0)).toBe(0.25)
  breaker = observe(breaker, { successes: 0, errors: 4 }, 9000, POLICY)
  expect(at(breaker, 9000)).toBe(5 / 8)
  expect(at(breaker, 11_000)).toBe(1)
  expect(at(breaker, 20_000)).toBe(0)
  expect(at(observe(FRESH, { successes: -3, errors: 3 }, 0, POLICY), 0)).toBe(1)
  const halfOpen = resumeBreaker({ state: 'half-open', since: 0, forced: false })
  expect(at(observe(halfOpen, { successes: 1, errors: 1 }, 0, POLICY), 50_000)).toBe(0.5)
})

test('only state, time and hand survive the daemon', () => {
  const { breaker } = forceOpen(FRESH, 77)
  expect(breakerRuntime(breaker)).toEqual({ state: 'open', since: 77, forced: true })
  expect(resumeBreaker(breakerRuntime(breaker))).toEqual(breaker)
})
