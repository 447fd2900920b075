import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cancelDrain, NO_TIMEOUT, observeConnections, startDrain } from '../../../src/engine/drain/drain.ts'
import type { Drain } from '../../../src/engine/drain/drain.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'

/**
 * A script, a word for what happens at each second from 0: `s5` starts a drain of 3 seconds at 5 connections, `S5`
 * one without a deadline, a number is how many are left, `x` cancels, `-` nothing. The states that follow.
 */
function run(script: string): string {
  let drain: Drain = FRESH_RUNTIME.drain
  const states = script.split(' ').map((word, second) => {
    const now = second * 1000
    const count = Number(word.slice(1))
    if (word.startsWith('s')) drain = startDrain(drain, now, 3000, count)
    else if (word.startsWith('S')) drain = startDrain(drain, now, NO_TIMEOUT, count)
    else if (word === 'x') drain = cancelDrain()
    else if (word !== '-') drain = observeConnections(drain, now, Number(word))
    return { none: 'n', draining: 'd', completed: 'C', timeout: 'T' }[drain.state]
  })
  return states.join('')
}

test.each([
  ['s5 4 1 0 0', 'dddCC'],
  ['s0 0', 'CC'],
  ['s5 4 4 4 4', 'dddTT'],
  // Deadline and end at once: it is done.
  ['s5 4 4 0', 'dddC'],
  ['s5 4 4 4 0', 'dddTT'],
  ['s5 x 4 4 4', 'dnnnn'],
  ['S5 4 4 4 4 4 0', 'ddddddC'],
  // Started again while it goes on: another deadline.
  ['s5 4 s4 4 4 4', 'dddddT'],
  ['s5 S5 4 4 4 4', 'dddddd'],
  // Started again when it is over: from the beginning.
  ['s5 4 4 4 s4 0', 'dddTdC'],
  ['s0 2 s2 0', 'CCdC'],
  ['0 5 x', 'nnn'],
])('%s gives %s', (script, states) => expect(run(script)).toBe(states))

describe('a drain', () => {
  const begun = startDrain(FRESH_RUNTIME.drain, 10_000, 5000, 7)

  test('knows when it began, until when, and with how many', () =>
    expect(begun).toEqual({ state: 'draining', since: 10_000, deadline: 15_000, initial: 7 }))

  test('that goes on keeps how it began when it gets another deadline', () =>
    expect(startDrain(begun, 12_000, 60_000, 3)).toEqual({ ...begun, deadline: 72_000 }))

  test('that is over tells since when', () => {
    expect(observeConnections(begun, 11_000, 0)).toEqual({ ...begun, state: 'completed', since: 11_000 })
    expect(observeConnections(begun, 15_000, 2)).toEqual({ ...begun, state: 'timeout', since: 15_000 })
  })

  test('that is cancelled leaves nothing', () => expect(cancelDrain()).toEqual(FRESH_RUNTIME.drain))
})

test('is over once and for all, whenever it is looked at', () => {
  const looks = fc.array(fc.tuple(fc.nat({ max: 4000 }), fc.nat({ max: 3 })), { maxLength: 20 })
  fc.assert(
    fc.property(looks, (steps) => {
      let now = 0
      let drain = startDrain(FRESH_RUNTIME.drain, 0, 10_000, 5)
      for (const [later, connections] of steps) {
        now += later
        const next = observeConnections(drain, now, connections)
        if (drain.state !== 'draining') expect(next).toBe(drain)
        else if (connections === 0) expect(next.state).toBe('completed')
        else expect(next.state).toBe(now >= 10_000 ? 'timeout' : 'draining')
        drain = next
      }
    }),
  )
})
