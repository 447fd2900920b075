/** An instance made by a version of lb whose programs counted less: rows of counters are shorter. */
import { expect, test } from 'vitest'
import { structs } from '../../../src/engine/abi/layout.generated.ts'
import { structSize } from '../../../src/engine/abi/struct.ts'
import { readBackendCounters } from '../../../src/engine/live/counters.ts'
import { NO_COUNTERS } from '../../../src/engine/model/counters.ts'
import { fakeState, findNode, POSSIBLE_CPUS } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { fill } from './scenarios.ts'
import { applying, fresh, INSTANCE, must, proxy, snapshotOf } from './support.ts'

/** The first six counters: all that there were. */
const OLD_SIZE = structs.lb_backend_stats.fields.closed.offset + 8
const stats = (state: FakeState): FakeMap =>
  findNode(state, `/sys/fs/bpf/lb/${INSTANCE}/backend_stats`) as FakeMap
const countersOf = (state: FakeState) => {
  const { kernel, paths } = fresh(state)
  return Object.fromEntries([...readBackendCounters(kernel, paths)].map(([name, b]) => [name, b.counters]))
}

/** Three backends, the second of which has been counted on two CPUs. */
function older(): FakeState {
  const state = fakeState()
  must(state, applying(snapshotOf([proxy('web')])))
  const cpus = Array.from({ length: POSSIBLE_CPUS }, (_, cpu) =>
    [1, 2, 3, 4, 5, 3].map((n) => BigInt(n * 10 ** cpu)),
  )
  Object.assign(stats(state), { valueSize: OLD_SIZE })
  const value = new Uint8Array(BigUint64Array.from(cpus.flat()).buffer)
  stats(state).entries.set('\x01\0\0\0', value)
  return state
}

const COUNTED = {
  ...NO_COUNTERS,
  packetsForward: 11,
  bytesForward: 22,
  packetsReverse: 33,
  bytesReverse: 44,
  opened: 55,
  closed: 33,
}

test('is read: what was not counted is zero', () => {
  expect(countersOf(older())).toEqual({
    '10.0.0.1:8080/tcp': NO_COUNTERS,
    '10.0.0.2:8080/tcp': COUNTED,
    '10.1.0.1:8080/tcp': NO_COUNTERS,
  })
})

test('is upgraded: rows become longer, and keep what they have', () => {
  const state = older()
  must(state, applying(snapshotOf([proxy('web')]), { object: 2 }))
  expect(stats(state).valueSize).toBe(structSize('lb_backend_stats'))
  expect(countersOf(state)['10.0.0.2:8080/tcp']).toEqual(COUNTED)
})

test('is upgraded and made larger at once', () => {
  const state = fill(older())
  const room = stats(state).maxEntries
  must(state, applying(snapshotOf([proxy('web'), proxy('more', { seed: 2, port: 81 })]), { object: 2 }))
  expect(stats(state).maxEntries).toBeGreaterThan(room)
  expect(countersOf(state)['10.0.0.2:8080/tcp']).toEqual(COUNTED)
})
