/** Generations that are to be confirmed: whoever is killed whenever, they are confirmed or go. */
import { describe, expect, test } from 'vitest'
import { apply } from '../../../src/engine/execute/apply.ts'
import type { ApplyOptions } from '../../../src/engine/execute/apply.ts'
import { confirmGeneration, goBackIfDue } from '../../../src/engine/execute/confirm.ts'
import { hasLeftovers } from '../../../src/engine/execute/leftovers.ts'
import { recover } from '../../../src/engine/execute/recover.ts'
import { confirmationOfServing, readConfirmation } from '../../../src/engine/live/confirmation.ts'
import type { Confirmation } from '../../../src/engine/model/confirmation.ts'
import { pendingConfirmation } from '../../../src/engine/model/confirmation.ts'
import { LbError } from '../../../src/engine/model/errors.ts'
import { dieAt, failAt } from '../../support/fake-kernel-session.ts'
import { inventory, packetView } from '../../support/fake-kernel-inventory.ts'
import { fakeState } from '../../support/fake-kernel-state.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'
import type { FakeKernelOptions } from '../../support/fake-kernel.ts'
import { applying, fresh, liveOf, must, planFor, proxy, quiet, rollingBack, snapshotOf } from './support.ts'

const DEADLINE = 60_000
const version = (n: number) => snapshotOf([proxy('web', { weights: [n, 100 - n] })])
const nothing = (): void => undefined

function guarded(
  state: FakeState,
  n: number,
  over: Partial<ApplyOptions> = {},
  options: FakeKernelOptions = {},
) {
  const plan = planFor(state, version(n))
  return apply(fresh(state, options), plan, {
    ...quiet,
    guarded: { kind: 'asked', deadline: () => DEADLINE, onArmed: nothing },
    ...over,
  })
}

/** Generation 1 is confirmed, generation 2 is yet to be. */
function waiting(): FakeState {
  const state = fakeState()
  must(state, applying(version(10)))
  guarded(state, 20)
  return state
}

const pinned = (state: FakeState): Confirmation | undefined => {
  const { kernel, paths } = fresh(state)
  return readConfirmation(kernel, paths)
}
const inForce = (state: FakeState): Confirmation | undefined => {
  const { kernel, paths } = fresh(state)
  return confirmationOfServing(kernel, paths)
}
const come = (state: FakeState, now: number) => goBackIfDue(fresh(state), now, nothing)

describe('a guarded apply', () => {
  test('writes down by when, and whoever comes later goes back, once', () => {
    const state = waiting()
    expect(inForce(state)).toEqual({ generation: 2, previous: 1, deadline: DEADLINE, kind: 'asked' })
    expect(come(state, DEADLINE - 1)).toBeUndefined()
    expect(liveOf(state).generation).toBe(2)
    expect(come(state, DEADLINE)).toMatchObject({ from: 2, to: 1 })
    expect(liveOf(state)).toMatchObject({ generation: 1, drift: [] })
    expect(pinned(state)).toBeUndefined()
    expect(come(state, DEADLINE)).toBeUndefined()
  })

  test('arms before the flip, and with what serves then', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    const seen: unknown[] = []
    const onArmed = (confirmation: Confirmation): void => {
      seen.push(confirmation, pinned(state), liveOf(state).generation, inForce(state))
    }
    guarded(state, 20, { guarded: { kind: 'watched', deadline: () => 7, onArmed } })
    const confirmation = { generation: 2, previous: 1, deadline: 7, kind: 'watched' }
    expect(seen).toEqual([confirmation, confirmation, 1, undefined])
  })

  test('keeps the generation that it may go back to', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    guarded(state, 20, { keep: 1 })
    expect(come(state, DEADLINE)).toMatchObject({ to: 1 })
  })

  test('that was the first one leaves nothing that serves, and its generation to come back to', () => {
    const state = fakeState()
    guarded(state, 20)
    expect(inForce(state)?.previous).toBe(0)
    expect(come(state, DEADLINE)).toMatchObject({ from: 1, to: 0 })
    expect(liveOf(state).generation).toBe(0)
    expect(packetView(state)).toEqual([])
    must(state, rollingBack(1))
    expect(liveOf(state)).toMatchObject({ generation: 1, drift: [] })
    expect(packetView(state)).not.toEqual([])
  })

  test('that fails leaves what was there, whichever call it is', () => {
    for (let at = 1; ; at++) {
      const state = fakeState()
      must(state, applying(version(10)))
      let outcome: unknown
      const world = fresh(state, { fault: failAt(at) })
      try {
        outcome = apply(world, planFor(state, version(20)), {
          ...quiet,
          guarded: { kind: 'asked', deadline: () => DEADLINE, onArmed: nothing },
        })
      } catch (error) {
        outcome = error
      }
      if ((world.kernel as unknown as { session: { calls: string[] } }).session.calls.length < at) return
      if (outcome instanceof Error) expect([liveOf(state).generation, inForce(state)]).toEqual([1, undefined])
      else expect(inForce(state)?.generation).toBe(2)
    }
  })

  test('that cannot start its guard leaves what was there', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    const before = packetView(state)
    const onArmed = (): never => {
      throw new LbError('host', 'no process can be started')
    }
    expect(() =>
      guarded(state, 20, { guarded: { kind: 'asked', deadline: () => DEADLINE, onArmed } }),
    ).toThrow('no process can be started; generation 1 serves, verified')
    expect(packetView(state)).toEqual(before)
    expect(pinned(state)).toBeUndefined()
  })
})

describe('until it is confirmed', () => {
  test('other applies are refused, dry runs not', () => {
    const state = waiting()
    const before = inventory(state)
    expect(() => must(state, applying(version(30)))).toThrow('generation 2 is yet to be confirmed')
    expect(inventory(state)).toEqual(before)
    expect(apply(fresh(state), planFor(state, version(30)), { ...quiet, dryRun: true }).dryRun).toBe(true)
    expect(inForce(state)?.generation).toBe(2)
  })

  test('--force keeps it, and a new confirmation goes back to it', () => {
    const state = waiting()
    guarded(state, 30, { force: true, guarded: { kind: 'asked', deadline: () => 90_000, onArmed: nothing } })
    expect(inForce(state)).toMatchObject({ generation: 3, previous: 2, deadline: 90_000 })
    expect(come(state, DEADLINE)).toBeUndefined()
    expect(come(state, 90_000)).toMatchObject({ from: 3, to: 2 })
  })

  test('--force without a new one confirms', () => {
    const state = waiting()
    apply(fresh(state), planFor(state, version(30)), { ...quiet, force: true })
    expect(pinned(state)).toBeUndefined()
    expect(come(state, DEADLINE)).toBeUndefined()
  })

  test('a rollback settles it', () => {
    const state = waiting()
    must(state, rollingBack(1))
    expect(pinned(state)).toBeUndefined()
    must(state, rollingBack(2))
    expect(come(state, DEADLINE)).toBeUndefined()
    expect(liveOf(state).generation).toBe(2)
  })

  test('it can be confirmed, once', () => {
    const state = waiting()
    expect(confirmGeneration(fresh(state), DEADLINE - 1, nothing).generation).toBe(2)
    expect(come(state, DEADLINE)).toBeUndefined()
    expect(() => confirmGeneration(fresh(state), 0, nothing)).toThrow('nothing is to be confirmed')
    expect(liveOf(state).generation).toBe(2)
  })

  test('and not after the deadline', () => {
    const state = waiting()
    expect(() => confirmGeneration(fresh(state), DEADLINE, nothing)).toThrow(
      'too late: the time to confirm generation 2 is up; generation 1 serves',
    )
    expect(liveOf(state).generation).toBe(1)
  })

  test('what names a generation that does not serve is swept away', () => {
    const state = waiting()
    // A rollback that was killed after its flip.
    const world = fresh(state, {
      fault: (_, label) => (/remove .*\/confirm$/.test(label) ? 'die' : undefined),
    })
    expect(() => goBackIfDue(world, DEADLINE, nothing)).toThrow('killed')
    expect(pinned(state)?.generation).toBe(2)
    expect([liveOf(state).generation, inForce(state)]).toEqual([1, undefined])
    expect(hasLeftovers(fresh(state))).toBe(true)
    recover(fresh(state))
    expect(pinned(state)).toBeUndefined()
  })
})

type Step = (state: FakeState, options: FakeKernelOptions) => unknown

/** Kills `step` at each of its calls; then somebody comes after the deadline. Gives which generations served in the end. */
function killed(before: () => FakeState, step: Step): Set<number> {
  const ends = new Set<number>()
  for (let at = 1; ; at++) {
    const state = before()
    let over = false
    try {
      step(state, { fault: dieAt(at) })
      over = true
    } catch {
      // As is meant.
    }
    if (over) return ends
    const { generation } = liveOf(state)
    const mustGo = inForce(state) !== undefined
    come(state, DEADLINE)
    const end = liveOf(state)
    expect(end).toMatchObject({ generation: mustGo ? 1 : generation, drift: [] })
    expect(pinned(state)).toBeUndefined()
    ends.add(end.generation)
  }
}

describe('killed at any call', () => {
  const one = (): FakeState => {
    const state = fakeState()
    must(state, applying(version(10)))
    return state
  }

  test('a guarded apply ends as it began', () => {
    expect(killed(one, (state, options) => guarded(state, 20, {}, options))).toEqual(new Set([1]))
  })

  test('going back goes back', () => {
    const step: Step = (state, options) => goBackIfDue(fresh(state, options), DEADLINE, nothing)
    expect(killed(waiting, step)).toEqual(new Set([1]))
  })

  test('confirming has confirmed, or not', () => {
    const step: Step = (state, options) => confirmGeneration(fresh(state, options), 0, nothing)
    expect(killed(waiting, step)).toEqual(new Set([1]))
  })
})

test('what is shown follows the clock of the day when that is set', () => {
  const confirmation: Confirmation = { generation: 2, previous: 1, deadline: 5000, kind: 'asked' }
  const at = (monotonic: number, utc: string) =>
    pendingConfirmation(confirmation, { monotonic, utc: Date.parse(utc) })
  expect(at(2000, '2026-01-01T00:00:00Z')).toMatchObject({
    until: '2026-01-01T00:00:03.000Z',
    overdue: false,
  })
  expect(at(3000, '2026-05-05T00:00:00Z')).toMatchObject({
    until: '2026-05-05T00:00:02.000Z',
    overdue: false,
  })
  expect(at(5000, '2026-05-05T00:00:02Z').overdue).toBe(true)
})
