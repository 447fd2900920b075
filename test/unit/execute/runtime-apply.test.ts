/** Applies and rollbacks while something is known of targets. */
import { describe, expect, test } from 'vitest'
import { PENDING_KEY, RUNTIME_SIZE } from '../../../src/engine/abi/runtime.ts'
import { apply } from '../../../src/engine/execute/apply.ts'
import { LOAD_ONE } from '../../../src/engine/model/runtime.ts'
import type { Proxy } from '../../../src/engine/model/snapshot.ts'
import { findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap } from '../../support/fake-kernel-state.ts'
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
  update,
  web,
} from './known.ts'
import { applying, fresh, liveOf, must, planFor, proxy, quiet, rollingBack, snapshotOf } from './support.ts'

describe('an apply', () => {
  test('between whose plan and it something became known is not stale, and keeps it', () => {
    const state = applied(three)
    const next = snapshotOf([proxy('web', { weights: [60, 20, 20] })])
    const plan = planFor(state, next)
    update(state, [web(2)], down)
    apply(fresh(state), plan, quiet)
    expect(counts(state)).toEqual([75, 0, 25])
    expectSettled(state, next)
  })

  test('shares selection between generations of the same lists, and no others', () => {
    const state = applied(three)
    const tables = (generation: number) => findNode(state, `${root}/gen/${generation}/selection`)
    must(state, applying(snapshotOf(three.proxies, { eth1: 'none' })))
    expect(tables(2)).toBe(tables(1))
    update(state, [web(2)], down)
    must(state, applying(three))
    expect(tables(3)).toBe(tables(1))
    expectSettled(state, three)
    // The same rows and weights, but another target in the middle.
    const other = proxy('web', { weights: [50, 30, 20] })
    const [first, , last] = other.defaultTarget
    const targets = [first!, { ip: '10.0.0.20', port: 8080, weight: 30 }, last!]
    const replaced = snapshotOf([{ ...other, defaultTarget: targets }])
    must(state, applying(replaced))
    expect(tables(4)).not.toBe(tables(3))
    expect(counts(state)).toEqual([50, 30, 20])
    expect(selectionOf(state, 3).slice(0, 100)).not.toContain(1)
    must(state, rollingBack(3))
    expect(counts(state)).toEqual([71, 0, 29])
    expectSettled(state, three)
  })

  test('with drain: true takes the target out, without it brings it back', () => {
    const [given] = three.proxies
    const drained = snapshotOf([
      {
        ...given!,
        defaultTarget: given!.defaultTarget.map((item, i) => (i === 1 ? { ...item, drain: true } : item)),
      },
    ])
    const state = applied(drained)
    expect(counts(state)).toEqual([71, 0, 29])
    expectSettled(state, drained)
    must(state, applying(three))
    expect(counts(state)).toEqual([50, 30, 20])
    must(state, rollingBack(1))
    expect(counts(state)).toEqual([71, 0, 29])
    expectSettled(state, drained)
    expect(historyOf(state, web(2))).toEqual([`0 ${LOAD_ONE} configured`, `${LOAD_ONE} 0 drain`])
  })

  test('with drain: true in one of several proxies leaves the others as they are', () => {
    const [given] = three.proxies
    const [first, ...others] = given!.defaultTarget
    const drained: Proxy = { ...given!, defaultTarget: [{ ...first!, drain: true }, ...others] }
    const snapshot = snapshotOf([proxy('api', { seed: 1, port: 81 }), drained])
    expectSettled(applied(snapshot), snapshot)
  })

  test('forgets targets that no loaded generation has, and no others', () => {
    const state = applied(three)
    update(state, [web(1), web(2), web(3)], down)
    const two = snapshotOf([proxy('web', { weights: [50, 50] })])
    must(state, applying(two, { keep: 2 }))
    expect(runtimesOf(state).size).toBe(3)
    must(state, applying(snapshotOf([proxy('web', { weights: [40, 60] })]), { keep: 2 }))
    expect([...runtimesOf(state).values()].map(({ key }) => key.ip).sort()).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(historyOf(state, web(3))).toEqual([])
  })

  test('finishes what another writer had begun, and takes its mark away', () => {
    const state = applied(three)
    const { kernel, paths } = fresh(state)
    using records = kernel.openMap(paths.runtime)
    records!.update(PENDING_KEY, new Uint8Array(RUNTIME_SIZE))
    must(state, applying(snapshotOf(three.proxies, { eth1: 'none' })))
    expect(records!.lookup(PENDING_KEY)).toBeUndefined()
  })

  test('makes the maps where an older version of lb made none, and larger where there are more targets', () => {
    const state = applied(three)
    for (const name of ['runtime', 'weight_log']) fresh(state).kernel.fs.remove(`${root}/${name}`)
    expectSettled(state, three)
    update(state, [web(2)], down)
    expect(counts(state)).toEqual([71, 0, 29])
    for (const name of ['runtime', 'weight_log']) {
      Object.assign(findNode(state, `${root}/${name}`) as FakeMap, { maxEntries: 1 })
    }
    const next = snapshotOf(three.proxies, { eth1: 'none' })
    must(state, applying(next))
    expect((findNode(state, `${root}/runtime`) as FakeMap).maxEntries).toBeGreaterThan(3)
    update(state, [web(1), web(3)], down)
    expect(historyOf(state, web(2))).toEqual([`${LOAD_ONE} 0 health`, `0 ${LOAD_ONE} fallback`])
    expectSettled(state, next)
  })
})

test('a rollback goes to no target that was found to be down since', () => {
  const one = snapshotOf([proxy('web', { weights: [50, 50] })])
  const state = applied(one, snapshotOf([proxy('web', { weights: [10, 90] })]))
  update(state, [web(1)], drain)
  must(state, rollingBack(1))
  expect(counts(state)).toEqual([0, 100, 0])
  expectSettled(state, one)
})

test('an entry that somebody else changed is drift, also where something is known', () => {
  const state = applied(three)
  update(state, [web(2)], down)
  const table = findNode(state, `${root}/gen/1/selection`) as FakeMap
  table.entries.set('\x05\0\0\0', Uint8Array.of(1, 0, 0, 0))
  expect(liveOf(state).drift.map(({ address }) => address)).toEqual(['proxy.web.selection[5]'])
  must(state, applying(three))
  expectSettled(state, three)
  expect(counts(state)).toEqual([71, 0, 29])
})
