/** Whatever was applied and done to the maps since: an apply makes live what is desired. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TABLE_NAMES, TABLES } from '../../../src/engine/abi/tables.ts'
import { apply } from '../../../src/engine/execute/apply.ts'
import { hasChanges } from '../../../src/engine/model/plan.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { snapshotOn } from '../../support/arbitrary.ts'
import { inventory, packetView } from '../../support/fake-kernel-inventory.ts'
import { fakeInterface, fakeState, findNode, linksOf } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import {
  applying,
  deploy,
  fresh,
  INSTANCE,
  learn,
  liveOf,
  must,
  planFor,
  proxy,
  quiet,
  snapshotOf,
} from './support.ts'

const xdp = { native: true, redirect: true, xmit: true }
const interfaces = [
  fakeInterface('eth0', 2, { driver: 'virtio_net', xdp }),
  fakeInterface('eth1', 3, { xdp }),
  fakeInterface('eth0.100', 4, { driver: '802.1Q VLAN Support', xdp }),
]
const via = (ifindex: number) => ({ ifindex, gateway: undefined, type: 'unicast' }) as const
const routes = { '10.0.0.1': via(3), '10.0.0.2': via(4), 'fd00::1': via(2), 'fd00::2': via(3) }
const host = (): FakeState => fakeState({ interfaces, routes })
/** The connection tables of an instance are made once: more connections than that are refused. */
const snapshots = snapshotOn(interfaces.map(({ name }) => name)).map((snapshot) => ({
  ...snapshot,
  settings: { ...snapshot.settings, maxConnections: DEFAULT_SETTINGS.maxConnections },
}))

const lessons = fc.array(fc.nat({ max: 1000 }), { maxLength: 4 })

function expectLive(state: FakeState, snapshot: Snapshot): void {
  const live = liveOf(state)
  expect(live.deployment).toEqual(deploy(state, snapshot))
  expect(live.drift).toEqual([])
  expect(hasChanges(planFor(state, snapshot).plan)).toBe(false)
}

test('one deployment after another', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(snapshots, lessons), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      (wanted, keep) => {
        const state = host()
        for (const [snapshot, seeds] of wanted) {
          must(state, applying(snapshot, { keep }))
          if (liveOf(state).generation === 0) continue
          expectLive(state, snapshot)
          learn(state, seeds)
          expectLive(state, snapshot)
        }
        const views = new Set(packetView(state).map(({ tables }) => tables))
        expect(views.size).toBeLessThanOrEqual(1)
      },
    ),
    { numRuns: 25 },
  )
})

/** A change to the maps or hooks of the active generation, made by somebody else. */
type Damage = (state: FakeState) => void
const root = `/sys/fs/bpf/lb/${INSTANCE}`

function tableOf(state: FakeState, table: string): FakeMap | undefined {
  return findNode(state, `${root}/gen/${liveOf(state).generation}/${table}`) as FakeMap | undefined
}

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...TABLE_NAMES), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }))
    .map(([table, row, byte, flip]): Damage => (state) => {
      const map = tableOf(state, table)
      if (!map) return
      const [key, value] = [...map.entries][row % Math.max(1, map.entries.size)] ?? []
      if (key === undefined || !(value instanceof Uint8Array)) return
      const changed = value.slice()
      changed[byte % changed.length]! ^= flip
      map.entries.set(key, changed)
    }),
  fc
    .tuple(fc.constantFrom('listeners', 'routes', 'interfaces'), fc.nat())
    .map(([table, row]): Damage => (state) => {
      const map = tableOf(state, table)
      if (!map) return
      const key = [...map.entries.keys()][row % Math.max(1, map.entries.size)]
      if (key !== undefined) map.entries.delete(key)
    }),
  fc.tuple(fc.constantFrom(...TABLE_NAMES)).map(
    ([table]): Damage =>
      (state) =>
        fresh(state).kernel.fs.remove(`${root}/gen/${liveOf(state).generation}/${table}`),
  ),
  fc.constantFrom(...TABLE_NAMES).map((table): Damage => (state) => {
    const outer = findNode(state, `${root}/tables/${table}`) as FakeMap
    outer.entries.clear()
  }),
  fc.nat().map((which): Damage => (state) => {
    const { kernel, paths } = fresh(state)
    const pins = kernel.fs.list(paths.linkFolder) ?? []
    if (pins.length > 0) kernel.detach(`${paths.linkFolder}/${pins[which % pins.length] ?? ''}`)
  }),
)

test('whatever was changed behind its back is seen and put right', () => {
  const full = snapshots.filter(({ proxies }) => proxies.length > 0)
  fc.assert(
    fc.property(
      full,
      lessons,
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      (snapshot, seeds, damages) => {
        const state = host()
        must(state, applying(snapshot))
        learn(state, seeds)
        const before = packetView(state)
        for (const act of damages) act(state)
        const { drift } = liveOf(state)
        expect(hasChanges(planFor(state, snapshot).plan)).toBe(drift.length > 0)
        if (drift.length === 0) expect(packetView(state)).toEqual(before)
        must(state, applying(snapshot))
        expectLive(state, snapshot)
        expect(packetView(state)).toEqual(before)
      },
    ),
    { numRuns: 60 },
  )
})

describe('an apply', () => {
  const one = snapshotOf([proxy('web')])
  const two = snapshotOf([proxy('web', { weights: [1, 99] })])

  test('shares the tables that stay as they are', () => {
    const state = host()
    must(state, applying(one))
    const { sharedTables } = must(state, applying(two))
    // Weights stand in `members`, and decide `selection`.
    expect(sharedTables).toBe(Object.keys(TABLES).length - 2)
    const pins = inventory(state).filter((line) => line.startsWith(`${root}/gen/2/`))
    expect(pins.filter((line) => line.includes(`= ${root}/gen/1/`))).toHaveLength(sharedTables)
  })

  test('refuses a plan when something has changed since, and touches nothing', () => {
    const state = host()
    must(state, applying(one))
    const plan = planFor(state, two)
    must(state, applying(snapshotOf([proxy('other', { seed: 2, port: 81 })])))
    const before = inventory(state)
    expect(() => apply(fresh(state), plan, quiet)).toThrow(
      /the plan is stale.*generation 1 → 2, proxy\.other/,
    )
    expect(inventory(state)).toEqual(before)
  })

  test('keeps the row of counters that a backend has', () => {
    const state = host()
    must(state, applying(one))
    const rows = (): Record<string, unknown> =>
      Object.fromEntries((findNode(state, `${root}/backend_ids`) as FakeMap).entries)
    const before = rows()
    must(state, applying(snapshotOf([proxy('new', { seed: 9, port: 81 }), proxy('web')])))
    expect(rows()).toMatchObject(before)
    expect(Object.keys(rows())).toHaveLength(6)
  })

  test('tells what it does, step by step', () => {
    const state = host()
    const steps: string[] = []
    apply(fresh(state), planFor(state, one), { ...quiet, onStep: (step) => void steps.push(step) })
    expect(steps).toEqual(['prepare', 'stage', 'verify', 'attach', 'flip', 'check', 'prune'])
  })

  test('starts the timer that forgets connections, and an upgrade replaces its code', () => {
    const state = host()
    const timer = () => (findNode(state, `${root}/sweep`) as FakeMap).timer?.object.slice(0, 2)
    must(state, applying(one))
    expect(timer()).toBe('01')
    must(state, applying(one, { object: 2 }))
    expect(timer()).toBe('02')
    expect(new Set(linksOf(state).map(({ program }) => program.object.slice(0, 2)))).toEqual(new Set(['02']))
    expect(inventory(state).join()).not.toMatch(/of 01|unpinned program/)
  })
})

describe('a dry run', () => {
  const one = snapshotOf([proxy('web')])
  const dry = { ...quiet, dryRun: true }

  test.each([
    ['on a new host', [], one, 1],
    ['of a change', [one], snapshotOf([proxy('web', { weights: [1, 99], interfaces: ['eth0', 'eth1'] })]), 1],
    ['of another way to attach', [one], snapshotOf([proxy('web')], { eth0: 'xdp-generic' }), 1],
    ['of an upgrade', [one], one, 2],
  ] as const)('%s leaves everything as it was', (_, before, wanted, object) => {
    const state = host()
    for (const snapshot of before) must(state, applying(snapshot))
    const found = inventory(state)
    const plan = planFor(state, wanted, object)
    const { generation } = liveOf(state)
    expect(apply(fresh(state, { object }), plan, dry)).toMatchObject({ dryRun: true, generation })
    // What is left of an instance that was not there is the folder that its lock is on.
    expect(inventory(state).filter((line) => !line.endsWith(`${root}/`))).toEqual(
      found.filter((line) => !line.endsWith('/bpf/')),
    )
  })
})
