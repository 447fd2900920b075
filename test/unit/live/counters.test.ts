/** Counters are read every second: what has not changed since is not made anew. */
import { expect, test } from 'vitest'
import { makeRows } from '../../../src/engine/abi/struct.ts'
import { readBackendCounters } from '../../../src/engine/live/counters.ts'
import { countedBetween } from '../../../src/engine/live/deltas.ts'
import type { BackendCounters } from '../../../src/engine/model/counters.ts'
import { NO_COUNTERS } from '../../../src/engine/model/counters.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { applying, fresh, INSTANCE, must, proxy, snapshotOf } from '../execute/support.ts'

const NAMES = ['10.0.0.1:8080/tcp', '10.0.0.2:8080/tcp', '10.1.0.1:8080/tcp'] as const

/** Writes one row as the programs of the last CPU would have counted. */
function count(state: FakeState, row: number, field: 'opened' | 'removed', value: number): void {
  const rows = makeRows('lb_backend_stats', 2)
  rows.set(1, field, value)
  const stats = findNode(state, `/sys/fs/bpf/lb/${INSTANCE}/backend_stats`) as FakeMap
  stats.entries.set(String.fromCharCode(row, 0, 0, 0), rows.bytes)
}

test('only what was counted since is in another object, and in what is told of it', () => {
  const state = fakeState()
  must(state, applying(snapshotOf([proxy('web')])))
  const { kernel, paths } = fresh(state)
  const first = readBackendCounters(kernel, paths)
  count(state, 1, 'opened', 5)
  const second = readBackendCounters(kernel, paths, first)
  expect(NAMES.map((name) => second.get(name) === first.get(name))).toEqual([true, false, true])
  // Of the last counter there is, as of any other.
  count(state, 1, 'removed', 2)
  const third = readBackendCounters(kernel, paths, second)
  const told = (counted: ReadonlyMap<string, BackendCounters>) => NAMES.map((name) => counted.get(name))
  expect(told(countedBetween(first, second))).toEqual([
    NO_COUNTERS,
    { ...NO_COUNTERS, opened: 5 },
    NO_COUNTERS,
  ])
  expect(third.get(NAMES[1])).toEqual({ row: 1, counters: { ...NO_COUNTERS, removed: 2 } })
  expect(readBackendCounters(kernel, paths, third)).toEqual(readBackendCounters(kernel, paths))
})

test('a backend that has another row is read anew', () => {
  const state = fakeState()
  must(state, applying(snapshotOf([proxy('web')])))
  const { kernel, paths } = fresh(state)
  const [name] = NAMES
  const first = readBackendCounters(kernel, paths)
  const other = new Map(first).set(name, { row: 7, counters: NO_COUNTERS })
  expect(readBackendCounters(kernel, paths, other).get(name)).toEqual({ row: 0, counters: NO_COUNTERS })
})
