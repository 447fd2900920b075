/** What the executor does, each from a known beginning to a known end. */
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { applying, destroying, INSTANCE, must, proxy, proxy6, rollingBack, snapshotOf } from './support.ts'
import type { Act } from './support.ts'

export interface Scenario {
  readonly name: string
  readonly before: () => FakeState
  readonly act: Act
  /** The object that this version of lb brings, and how many generations it keeps. */
  readonly options?: { readonly object?: number; readonly keep?: number }
  /** What is applied before and after; `undefined`: nothing. */
  readonly from: Snapshot | undefined
  readonly to: Snapshot | undefined
}

const one = snapshotOf([proxy('web')])
const two = snapshotOf([
  proxy('api', { seed: 1, port: 81, interfaces: ['eth0', 'eth1'] }),
  proxy('web', { weights: [20, 80] }),
])
const three = snapshotOf([proxy('web', { weights: [10, 90] })])
const six = snapshotOf([proxy6('web6')], { eth0: 'tcx' })
const generic = snapshotOf([proxy('web')], { eth0: 'xdp-generic' })
/** Applied after a scenario, to see that all goes on from there. */
export const LATER = snapshotOf([proxy('later', { seed: 7 })])

/** A host where these were applied, in this order. */
function applied(...snapshots: readonly Snapshot[]): FakeState {
  const state = fakeState({ routes: { '10.0.1.1': { ifindex: 4, gateway: undefined, type: 'unicast' } } })
  for (const snapshot of snapshots) must(state, applying(snapshot))
  return state
}

/** A host whose counters are almost used up: by backends of long ago. */
function crowded(...snapshots: readonly Snapshot[]): FakeState {
  const state = applied(...snapshots)
  const ids = findNode(state, `/sys/fs/bpf/lb/${INSTANCE}/backend_ids`) as FakeMap
  for (let row = ids.entries.size; row < ids.maxEntries; row++) {
    const key = String.fromCharCode(
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 11, 0, row >> 8, row & 255, 0, 80, 6, 0],
    )
    ids.entries.set(key, new Uint8Array(Uint32Array.of(row).buffer))
  }
  return state
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'first apply', before: () => applied(), act: applying(one), from: undefined, to: one },
  { name: 'apply with a new interface', before: () => applied(one), act: applying(two), from: one, to: two },
  {
    name: 'apply in another mode and family',
    before: () => applied(one),
    act: applying(six),
    from: one,
    to: six,
  },
  {
    name: 'apply that upgrades the programs',
    before: () => applied(one),
    act: applying(two, { object: 2 }),
    options: { object: 2 },
    from: one,
    to: two,
  },
  {
    name: 'apply that prunes',
    before: () => applied(two, six, one),
    act: applying(three, { keep: 2 }),
    options: { keep: 2 },
    from: one,
    to: three,
  },
  {
    name: 'apply in another XDP mode',
    before: () => applied(one),
    act: applying(generic),
    from: one,
    to: generic,
  },
  { name: 'rollback', before: () => applied(two, six, one), act: rollingBack(2), from: one, to: six },
  { name: 'destroy', before: () => applied(two, one), act: destroying, from: one, to: undefined },
]

/** Takes long, but for its middle is like others: looked at in part. */
export const GROWTH: Scenario = {
  name: 'apply that needs more rows of counters',
  before: () => crowded(one),
  act: applying(two),
  from: one,
  to: two,
}
