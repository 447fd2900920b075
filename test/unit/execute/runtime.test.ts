/** What is known of targets, and the entries of selection that follow from it. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { effectiveSelection } from '../../../src/engine/abi/selection.ts'
import { targetId } from '../../../src/engine/abi/runtime.ts'
import { updateRuntime } from '../../../src/engine/execute/runtime.ts'
import { hasChanges } from '../../../src/engine/model/plan.ts'
import { FRESH_RUNTIME, LOAD_ONE } from '../../../src/engine/model/runtime.ts'
import type { TargetKey } from '../../../src/engine/model/runtime.ts'
import { dieAt, failAt } from '../../support/fake-kernel-session.ts'
import { fakeKernel } from '../../support/fake-kernel.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { eachCall, isChange } from './faults.ts'
import {
  applied,
  counts,
  down,
  drain,
  expectSettled,
  historyOf,
  root,
  runtimesOf,
  selectionOf,
  three,
  undrain,
  up,
  update,
  web,
} from './known.ts'
import type { Change } from './known.ts'
import { applying, liveOf, must, planFor, proxy, snapshotOf, worldOf } from './support.ts'

describe('what becomes known of a target', () => {
  test('changes its entries, is kept, and is no drift', () => {
    const state = applied(three)
    const updates = update(state, [web(2)], down)
    expect(updates).toEqual([{ key: web(2), before: FRESH_RUNTIME, after: down(FRESH_RUNTIME) }])
    expect(counts(state)).toEqual([71, 0, 29])
    expect(runtimesOf(state).get(targetId(web(2)))?.runtime).toEqual(down(FRESH_RUNTIME))
    expectSettled(state, three)
    update(state, [web(2)], up)
    expect(counts(state)).toEqual([50, 30, 20])
    expect(historyOf(state, web(2))).toEqual([`${LOAD_ONE} 0 health`, `0 ${LOAD_ONE} configured`])
    expect(historyOf(state, web(1))).toEqual([])
  })

  test('leaves no record where there is nothing more to say', () => {
    const state = applied(three)
    update(state, [web(1)], drain)
    update(state, [web(1)], undrain)
    expect(runtimesOf(state).size).toBe(0)
    expect(historyOf(state, web(1))).toEqual([`${LOAD_ONE} 0 drain`, `0 ${LOAD_ONE} configured`])
  })

  test('writes only the entries that change', () => {
    const state = applied(
      snapshotOf([proxy('api', { seed: 1, port: 81 }), proxy('web', { weights: [50, 30, 20] })]),
    )
    const table = findNode(state, `${root}/gen/1/selection`) as FakeMap
    const before = new Map(table.entries)
    const written = new Set<string>()
    const set = table.entries.set.bind(table.entries)
    table.entries.set = (key, value) => (written.add(key), set(key, value))
    update(state, [web(2)], down)
    const changed = [...table.entries.keys()].filter(
      (key) => !isDeepStrictEqual(table.entries.get(key), before.get(key)),
    )
    expect(changed.length).toBeGreaterThanOrEqual(30)
    expect([...written].sort()).toEqual(changed.sort())
  })

  test('that changes no weight touches neither selection nor history', () => {
    const state = applied(three)
    const kernel = fakeKernel(state)
    updateRuntime(worldOf(kernel), [web(1)], up)
    expect(kernel.session.calls.filter((call) => /selection.*update|update.*selection/.test(call))).toEqual(
      [],
    )
    expect(historyOf(state, web(1))).toEqual([])
    expectSettled(state, three)
  })

  test('is kept for a hundred changes', () => {
    const state = applied(three)
    for (let i = 0; i < 70; i++) {
      update(state, [web(1)], down)
      update(state, [web(1)], (old) => ({ ...up(old), load: i }))
    }
    const history = historyOf(state, web(1))
    expect(history).toHaveLength(100)
    expect(history.at(-1)).toBe('0 69 load')
    expect(history[0]).toBe(`19 0 health`)
  })

  test('of a target in several lists of its proxy holds for all of them', () => {
    const { sourceRoutes: _, ...rest } = proxy('web', { weights: [50, 30, 20] })
    const shared = { ip: '10.0.0.2', port: 8080, weight: 50 }
    const route = (source: string, ip: string) => ({
      source,
      targets: [{ ip, port: 8080, weight: 50 }, shared].sort((a, b) => (a.ip < b.ip ? -1 : 1)),
    })
    const snapshot = snapshotOf([
      { ...rest, sourceRoutes: [route('192.0.2.0/24', '10.0.0.7'), route('198.51.100.0/24', '10.0.0.8')] },
    ])
    const state = applied(snapshot)
    update(state, [web(2)], drain)
    const row = 1
    expect(selectionOf(state)).toHaveLength(300)
    expect(selectionOf(state)).not.toContain(row)
    expect(historyOf(state, web(2))).toEqual([`${LOAD_ONE} 0 drain`])
    // All that is left of a list: it falls back there, and there only, which is not its first list.
    update(state, [web(7)], down)
    expect(selectionOf(state).slice(100, 200)).not.toContain(row)
    expectSettled(state, snapshot)
  })

  test('of another proxy with the same target changes nothing', () => {
    const both = snapshotOf([proxy('api', { port: 81 }), proxy('web')])
    const state = applied(both)
    const before = selectionOf(state)
    update(state, [web(1)], down)
    const after = selectionOf(state)
    expect(after.slice(0, 101)).toEqual(before.slice(0, 101))
    expect(after.slice(101)).not.toEqual(before.slice(101))
  })

  test('is refused where there is no instance', () => {
    expect(() => update(fakeState(), [web(1)], down)).toThrow('nothing is applied on instance test')
  })
})

/** What may happen to any target, in any order. */
const event = fc.record({
  host: fc.integer({ min: 1, max: 3 }),
  change: fc.constantFrom<Change>(
    down,
    up,
    drain,
    undrain,
    (old) => ({ ...old, breaker: { state: 'open', since: 1, forced: false } }),
    (old) => ({ ...old, breaker: { state: 'half-open', since: 2, forced: false } }),
    (old) => ({ ...old, breaker: FRESH_RUNTIME.breaker }),
    (old) => ({ ...old, health: { state: 'healthy', since: 3, recovery: 2 } }),
    (old) => ({ ...old, load: LOAD_ONE / 5 }),
  ),
})

test('entries are those of the final states, whatever the order in which targets came to them', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.integer(), (events, seed) => {
      const inOrder = applied(three)
      for (const { host, change } of events) update(inOrder, [web(host)], change)
      expectSettled(inOrder, three)
      // Events of one target keep their order; those of different ones come in any.
      const queues = [1, 2, 3].map((host) => events.filter((item) => item.host === host))
      const mixed = applied(three)
      for (let i = Math.abs(seed); queues.some(({ length }) => length > 0); i += 7) {
        const next = queues[i % 3]?.shift()
        if (next) update(mixed, [web(next.host)], next.change)
        else i += 1
      }
      expect(selectionOf(mixed)).toEqual(selectionOf(inOrder))
      expect([...runtimesOf(mixed)].sort()).toEqual([...runtimesOf(inOrder)].sort())
    }),
    { numRuns: 40 },
  )
})

describe('a writer that ends in the middle', () => {
  const both = snapshotOf([proxy('api', { seed: 1, port: 81 }), ...three.proxies])
  const api: TargetKey = { ...web(1), proxy: 'api', ip: '10.0.1.1' }
  const before = applied(both)
  update(before, [api, web(3)], drain)
  const act = (state: FakeState, options = {}): { calls: readonly string[]; open: number } => {
    const kernel = fakeKernel(state, options)
    try {
      updateRuntime(worldOf(kernel), [web(1), web(2)], down)
    } catch {
      // It was made to fail, or to die.
    }
    return { calls: kernel.session.calls, open: kernel.session.open.size }
  }
  const undisturbed = act(structuredClone(before)).calls

  /** Either nothing of it is to be seen, or it is told as drift. */
  const checkPlan = (state: FakeState): void => {
    const { deployment, drift } = liveOf(state)
    const expected = [...effectiveSelection(deployment, runtimesOf(state))]
    if (drift.length === 0) expect(selectionOf(state)).toEqual(expected)
    else expect(hasChanges(planFor(state, both).plan)).toBe(true)
  }

  test.each([
    ['is killed', dieAt],
    ['fails', failAt],
  ])('where it %s, the next one puts it right, or an apply', (_, faultAt) => {
    const complaints = eachCall(
      undisturbed,
      faultAt,
      (fault) => {
        const state = structuredClone(before)
        expect(act(state, { fault }).open).toBe(0)
        expect(state.locks.size).toBe(0)
        checkPlan(state)
        const other = structuredClone(state)
        must(other, applying(both))
        expectSettled(other, both)
        // A change in another list, which by itself would not touch what was left.
        update(state, [api], undrain)
        expectSettled(state, both)
      },
      isChange,
    )
    expect(complaints).toEqual([])
  })
})
