/** When the connections of removed targets end, as the maps say it to the kernel. */
import { describe, expect, test } from 'vitest'
import { apply } from '../../../src/engine/execute/apply.ts'
import { removalsOf } from '../../../src/engine/live/removals.ts'
import type { Proxy } from '../../../src/engine/model/snapshot.ts'
import { rowsOver } from '../../../src/engine/abi/struct.ts'
import { dieAt } from '../../support/fake-kernel-session.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'
import {
  applying,
  fresh,
  liveOf,
  must,
  planFor,
  proxy,
  quiet,
  rollingBack,
  snapshotOf,
  testHost,
} from './support.ts'

const NOW = testHost.monotonicMs()

const web = (count: number, ends?: number, over: Partial<Proxy['listen']> = {}): Proxy => ({
  ...proxy('web', { weights: Array.from({ length: count }, () => 1), ...over }),
  sourceRoutes: [],
  ...(ends !== undefined && { endRemovedAfterSec: ends }),
})

/** `10.0.0.2 +60`: seconds from now, as it holds for what serves. */
function ending(state: FakeState): string[] {
  const { kernel, paths } = fresh(state)
  using map = kernel.openMap(paths.removed)
  return removalsOf(map!, liveOf(state).slot)
    .map(({ listener, ip, deadline }) => {
      const when = deadline === null ? 'never' : `+${(deadline - NOW) / 1000}`
      return `${listener.address ?? 'any'} ${ip} ${when}`
    })
    .sort()
}

/** First deadline and end, in seconds from now, for each slot that has any. */
function windows(state: FakeState): string[] {
  const { kernel, paths } = fresh(state)
  using map = kernel.openMap(paths.removed)
  const { keys, values, count } = map!.readAll()
  const rows = rowsOver('lb_removed', values)
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => rowsOver('lb_removed_key', keys).get(i, 'proto') === 0)
    .map((i) => `${(rows.get(i, 'deadline') - NOW) / 1000} ${(rows.get(i, 'end') - NOW) / 1000}`)
}

function applied(...versions: readonly (readonly Proxy[])[]): FakeState {
  const state = fakeState()
  for (const proxies of versions) must(state, applying(snapshotOf(proxies)))
  return state
}

describe('an apply writes when connections end', () => {
  test.each<[string, readonly (readonly Proxy[])[], readonly string[]]>([
    ['never, where nothing is said', [[web(2)], [web(1)]], []],
    ['at once', [[web(2)], [web(1, 0)]], ['any 10.0.0.2 +0']],
    ['after a while', [[web(3)], [web(1, 60)]], ['any 10.0.0.2 +60', 'any 10.0.0.3 +60']],
    ['with a proxy that goes', [[web(2, 5)], []], ['any 10.0.0.1 +5', 'any 10.0.0.2 +5']],
    ['no more, when the target is back', [[web(2)], [web(1, 60)], [web(2, 60)]], []],
    ['still, after another apply', [[web(2)], [web(1, 60)], [web(1, 70)]], ['any 10.0.0.2 +60']],
    ['still, when nothing is said any more', [[web(2)], [web(1, 60)], [web(1)]], ['any 10.0.0.2 +60']],
    [
      'but not of an address that keeps the target',
      [[web(2)], [web(1, 60), { ...web(2, undefined, { address: '203.0.113.1' }), name: 'x' }]],
      ['203.0.113.1 10.0.0.2 never', 'any 10.0.0.2 +60'],
    ],
    ['of the listener that there was', [[web(2)], [web(1, 9, { port: 81 })]], ['any 10.0.0.2 +9']],
    ['not where another proxy has taken it over', [[web(2, 0)], [{ ...web(2), name: 'new' }]], []],
  ])('%s', (_, versions, expected) => {
    expect(ending(applied(...versions))).toEqual(expected)
  })

  test('from the first deadline to a minute after the last', () => {
    const state = applied([web(3)], [web(2, 60)], [web(1, 10)])
    expect(ending(state)).toEqual(['any 10.0.0.2 +10', 'any 10.0.0.3 +60'])
    expect(windows(state)).toEqual(expect.arrayContaining(['10 120', '60 120']))
  })

  test('of the generation that serves only: going back brings targets back, and forth takes them away again', () => {
    const state = applied([web(2)], [web(1, 60)])
    must(state, rollingBack(1))
    expect(ending(state)).toEqual([])
    must(state, rollingBack(2))
    expect(ending(state)).toEqual(['any 10.0.0.2 +60'])
  })

  test('nothing where it is only tried', () => {
    const state = applied([web(2)])
    apply(fresh(state), planFor(state, snapshotOf([web(1, 0)])), { ...quiet, dryRun: true })
    expect(ending(state)).toEqual([])
  })
})

test('wherever it is killed: what serves says what ends', () => {
  for (let call = 0; ; call++) {
    const state = applied([web(2)])
    const plan = planFor(state, snapshotOf([web(1, 60)]))
    let killed = false
    try {
      apply(fresh(state, { fault: dieAt(call) }), plan, quiet)
    } catch {
      killed = true
    }
    expect(ending(state)).toEqual(liveOf(state).generation === 1 ? [] : ['any 10.0.0.2 +60'])
    if (!killed) break
    must(state, applying(snapshotOf([web(1, 60)])))
    expect(ending(state)).toEqual(['any 10.0.0.2 +60'])
  }
})

test('as many as there is room for, and first what spares others', () => {
  const kept = { ...web(3, undefined, { address: '203.0.113.1' }), name: 'x' }
  const state = applied([web(3), kept])
  const map = findNode(state, fresh(state).paths.removed)
  // One stands for all.
  Object.assign(map!, { maxEntries: 1 + 3 })
  must(state, applying(snapshotOf([web(1, 60), kept])))
  const spared = ['203.0.113.1 10.0.0.2 never', '203.0.113.1 10.0.0.3 never']
  expect(ending(state)).toEqual([...spared, 'any 10.0.0.2 +60'])
})

test('a map that an older version did not have comes with the next apply', () => {
  const state = applied([web(2)])
  const { kernel, paths } = fresh(state)
  kernel.fs.remove(paths.removed)
  must(state, applying(snapshotOf([web(1, 60)])))
  expect(ending(state)).toEqual(['any 10.0.0.2 +60'])
})

test('a row of counters that has another owner by now ends nothing', () => {
  const state = applied([web(2)], [web(1, 60)])
  const { kernel, paths } = fresh(state)
  using ids = kernel.openMap(paths.map('backend_ids'))
  const { keys, count } = ids!.readAll()
  const rows = rowsOver('lb_backend_id', keys)
  for (let i = 0; i < count; i++) {
    const key = keys.subarray((i * keys.length) / count, ((i + 1) * keys.length) / count)
    if (rows.slice(i, 'addr')[15] === 2) ids!.delete(key)
  }
  must(state, applying(snapshotOf([web(1, 61)])))
  expect(ending(state)).toEqual([])
})
