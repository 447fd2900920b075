/** What the executor does, each from a known beginning to a known end. */
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import {
  applying,
  destroying,
  INSTANCE,
  learn,
  must,
  proxy,
  proxy6,
  rollingBack,
  snapshotOf,
} from './support.ts'
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
const five = snapshotOf([proxy('web', { seed: 5 })])
const six = snapshotOf([proxy6('web6')], { eth0: 'tcx' })
const generic = snapshotOf([proxy('web')], { eth0: 'xdp-generic' })
const larger = withConnections(three, 300_000)
const largest = withConnections(one, 2_000_000)
/** Applied after a scenario, to see that all goes on from there. */
export const LATER = snapshotOf([proxy('later', { seed: 7 })])

function withConnections(snapshot: Snapshot, maxConnections: number): Snapshot {
  return { ...snapshot, settings: { ...snapshot.settings, maxConnections } }
}

/** A host where these were applied, in this order. */
function applied(...snapshots: readonly Snapshot[]): FakeState {
  const state = fakeState({ routes: { '10.0.1.1': { ifindex: 4, gateway: undefined, type: 'unicast' } } })
  for (const snapshot of snapshots) must(state, applying(snapshot))
  return state
}

/** Makes the maps of counters as small as they can be. */
export function fill(state: FakeState): FakeState {
  const mapAt = (name: string) => findNode(state, `/sys/fs/bpf/lb/${INSTANCE}/${name}`) as FakeMap
  const maxEntries = mapAt('backend_ids').entries.size
  for (const name of ['backend_ids', 'backend_stats']) Object.assign(mapAt(name), { maxEntries })
  return state
}

/** A host whose maps of counters are full, of backends that are gone, too. */
function departed(gone: Snapshot, now: Snapshot): FakeState {
  const state = applied(gone)
  must(state, applying(now, { keep: 1 }))
  return fill(state)
}

/** The first target of the first list is down, and the second one recovers. */
function knowing(state: FakeState): FakeState {
  learn(state, [0, 9])
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
  {
    name: 'apply that needs more rows of counters',
    before: () => fill(applied(one)),
    act: applying(two),
    from: one,
    to: two,
  },
  {
    name: 'apply that gives rows of counters to other backends',
    before: () => departed(two, one),
    act: applying(five),
    from: one,
    to: five,
  },
  {
    name: 'apply that makes the connection tables larger',
    before: () => applied(one),
    act: applying(larger),
    from: one,
    to: larger,
  },
  {
    name: 'apply that gives up the connection tables of before and makes larger ones',
    before: () => applied(one, larger),
    act: applying(largest),
    from: larger,
    to: largest,
  },
  { name: 'rollback', before: () => applied(two, six, one), act: rollingBack(2), from: one, to: six },
  {
    name: 'apply while something is known of targets',
    before: () => knowing(applied(one)),
    act: applying(three),
    from: one,
    to: three,
  },
  {
    name: 'rollback to targets that something became known of',
    before: () => knowing(applied(two, one)),
    act: rollingBack(1),
    from: one,
    to: two,
  },
  { name: 'destroy', before: () => applied(two, one), act: destroying, from: one, to: undefined },
]
