import { describe, expect, test } from 'vitest'
import { apply } from '../../../src/engine/execute/apply.ts'
import { recover } from '../../../src/engine/execute/recover.ts'
import { rollback } from '../../../src/engine/execute/rollback.ts'
import { listGenerations } from '../../../src/engine/live/generations.ts'
import type { GenerationRecord } from '../../../src/engine/model/live.ts'
import { inventory, packetView } from '../../support/fake-kernel-inventory.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import {
  applying,
  fresh,
  INSTANCE,
  liveOf,
  must,
  planFor,
  proxy,
  quiet,
  rollingBack,
  snapshotOf,
} from './support.ts'

const root = `/sys/fs/bpf/lb/${INSTANCE}`

/** Snapshots that differ from each other. */
const version = (n: number) => snapshotOf([proxy('web', { weights: [n, 100 - n] })])

function history(state: FakeState): GenerationRecord[] {
  const { kernel, host, paths } = fresh(state)
  return listGenerations(kernel, host, paths, liveOf(state).slot)
}

const numbers = (state: FakeState): number[] => history(state).map(({ number }) => number)
const hooks = (state: FakeState): string[] => packetView(state).map(({ hook }) => hook)

describe('generations that stay loaded', () => {
  test.each([1, 2, 15])('are %i where that many are to be kept, over a hundred applies', (keep) => {
    const state = fakeState()
    for (let n = 1; n <= 100; n++) {
      const { generation } = must(state, applying(version(1 + (n % 99)), { keep }))
      expect(generation).toBe(n)
      expect(numbers(state)).toHaveLength(Math.min(n, keep))
    }
    expect(numbers(state)).toEqual(Array.from({ length: keep }, (_, i) => 101 - keep + i))
    expect(history(state).filter(({ active }) => active)).toMatchObject([{ number: 100 }])
    expect(new Set(history(state).map(({ slot }) => slot)).size).toBe(keep)
  })

  test('say how they came to be', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    must(state, applying(version(20)))
    expect(history(state)[1]).toEqual({
      number: 2,
      slot: 1,
      active: true,
      provenance: {
        number: 2,
        slot: 1,
        replaced: 1,
        createdAt: '2026-01-01T00:00:00Z',
        user: 'tester',
        sources: ['lb.yaml'],
        configHash: 'hash',
        summary: { create: 0, update: 2, delete: 0 },
      },
    })
  })

  test('one without a readable manifest is listed all the same', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    must(state, applying(version(20)))
    fresh(state).kernel.fs.remove(`${root}/gen/1/manifest`)
    expect(history(state)[0]).toEqual({ number: 1, slot: -1, active: false, provenance: undefined })
  })

  test('the one that was replaced stays, however old it is', () => {
    const state = fakeState()
    for (const n of [10, 20, 30, 40]) must(state, applying(version(n)))
    must(state, rollingBack(1))
    must(state, applying(version(50), { keep: 2 }))
    expect(numbers(state)).toEqual([1, 5])
    rollback(fresh(state), undefined, () => undefined)
    expect(liveOf(state).generation).toBe(1)
  })

  test('those that names led to go first, and going back passes them over', () => {
    const state = fakeState()
    for (const n of [10, 20, 30]) must(state, applying(version(n), { keep: 4 }))
    for (const n of [31, 32, 33, 34]) must(state, applying(version(n), { keep: 4, cause: 'dns' }))
    expect(numbers(state)).toEqual([1, 2, 3, 7])
    expect(history(state).map(({ provenance }) => provenance?.cause)).toEqual([
      undefined,
      undefined,
      undefined,
      'dns',
    ])
    must(state, applying(version(40), { keep: 4 }))
    // What the fourth replaced stays as it last was.
    expect(numbers(state)).toEqual([2, 3, 7, 8])
    rollback(fresh(state), undefined, () => undefined)
    expect(liveOf(state).generation).toBe(7)
    rollback(fresh(state), undefined, () => undefined)
    expect(liveOf(state).generation).toBe(2)
  })
})

describe('going back', () => {
  function three(): FakeState {
    const state = fakeState()
    for (const n of [10, 20, 30]) must(state, applying(version(n)))
    return state
  }
  const back = (state: FakeState, to?: number) => rollback(fresh(state), to, () => undefined)

  test('and forth is one flip each, and names what changes', () => {
    const state = three()
    const views = packetView(state)
    const { from, to, changes } = back(state, 1)
    expect([from, to]).toEqual([3, 1])
    expect(changes.map(({ address, action }) => `${action} ${address}`)).toEqual([
      'update proxy.web.target["10.0.0.1:8080"]',
      'update proxy.web.target["10.0.0.2:8080"]',
    ])
    expect(packetView(state)).not.toEqual(views)
    back(state, 3)
    expect(packetView(state)).toEqual(views)
    expect(liveOf(state)).toMatchObject({ generation: 3, drift: [] })
  })

  test('without a number goes to what served before', () => {
    const state = three()
    expect(back(state).to).toBe(2)
    expect(back(state).to).toBe(1)
    expect(() => back(state)).toThrow('cannot go back from generation 1: nothing served before it')
  })

  test.each([
    [3, 'generation 3 serves already'],
    [9, 'cannot go back from generation 3: generation 9 is no longer loaded'],
  ])('to %i is refused', (to, message) => {
    const state = three()
    const before = inventory(state)
    expect(() => back(state, to)).toThrow(message)
    expect(inventory(state)).toEqual(before)
  })

  test('where nothing is applied is refused', () => {
    const state = fakeState()
    expect(() => back(state, 1)).toThrow(`nothing is applied on instance ${INSTANCE}`)
  })

  test('puts right entries of selection, as it brings them up to date', () => {
    const state = three()
    const views = packetView(state)
    must(state, applying(snapshotOf([proxy('other', { seed: 3, port: 99, interfaces: ['eth1'] })])))
    const map = findNode(state, `${root}/gen/3/selection`) as FakeMap
    map.entries.set([...map.entries.keys()][0]!, Uint8Array.of(1, 0, 0, 0))
    back(state, 3)
    expect(liveOf(state).drift).toEqual([])
    expect(packetView(state)).toEqual(expect.arrayContaining(views))
  })

  test.each(['members', 'listeners', 'interfaces'])(
    'to a generation whose %s were changed is refused',
    (table) => {
      const state = three()
      must(state, applying(snapshotOf([proxy('other', { seed: 3, port: 99, interfaces: ['eth1'] })])))
      const map = findNode(state, `${root}/gen/3/${table}`) as FakeMap
      const [key, value] = [...map.entries][0]!
      const changed = Uint8Array.from(value as Uint8Array)
      changed[changed.length - 1]! ^= 1
      map.entries.set(key, changed)
      const before = inventory(state)
      expect(() => back(state, 3)).toThrow(/generation 3 was changed since it was applied: /)
      expect(inventory(state)).toEqual(before)
      expect(liveOf(state).drift).toEqual([])
    },
  )

  test('to a generation that lost a table is refused', () => {
    const state = three()
    fresh(state).kernel.fs.remove(`${root}/gen/2/members`)
    expect(() => back(state, 2)).toThrow(
      'generation 2 was changed since it was applied: generation[2].members',
    )
    fresh(state).kernel.fs.remove(`${root}/gen/1/manifest`)
    expect(() => back(state, 1)).toThrow('generation 1 has no readable manifest')
  })
})

describe('interfaces', () => {
  const onBoth = snapshotOf([proxy('web', { interfaces: ['eth0', 'eth1'] })])
  const onOne = snapshotOf([proxy('web')])

  test('that only older generations use stay attached until those go', () => {
    const state = fakeState()
    must(state, applying(onBoth))
    must(state, applying(onOne))
    expect(hooks(state)).toEqual(['2 tcx-egress', '2 xdp', '3 tcx-egress', '3 tcx-ingress'])
    must(state, applying(version(33), { keep: 2 }))
    expect(hooks(state)).toEqual(['2 tcx-egress', '2 xdp'])
  })

  test('that are not to be attached any more are taken off at once', () => {
    const state = fakeState()
    must(state, applying(onBoth))
    must(state, applying(snapshotOf([proxy('web')], { eth1: 'none' })))
    expect(hooks(state)).toEqual(['2 tcx-egress', '2 xdp'])
    must(state, rollingBack(1))
    expect(hooks(state)).toEqual(['2 tcx-egress', '2 xdp', '3 tcx-egress', '3 tcx-ingress'])
  })

  test('change from one way of attaching to any other, and back', () => {
    const ways = [
      'xdp',
      'xdp-generic',
      'tcx',
      'none',
      'xdp-generic',
      'xdp',
      'tcx',
      'xdp',
      'none',
      'xdp',
    ] as const
    const expected = { xdp: ['2 tcx-egress', '2 xdp'], 'xdp-generic': ['2 tcx-egress', '2 xdp-generic'] }
    const state = fakeState()
    for (const way of ways) {
      must(state, applying(snapshotOf([proxy('web')], { eth0: way })))
      const tcx = way === 'none' ? [] : ['2 tcx-egress', '2 tcx-ingress']
      expect(hooks(state)).toEqual(way === 'none' || way === 'tcx' ? tcx : expected[way])
      expect(liveOf(state).drift).toEqual([])
    }
    for (const to of [2, 1, 3, 2]) {
      if (!numbers(state).includes(to)) continue
      must(state, rollingBack(to))
      expect(liveOf(state).drift).toEqual([])
    }
  })

  test('that came back under another number are attached anew', () => {
    const state = fakeState()
    must(state, applying(onOne))
    state.interfaces = state.interfaces.map((item) =>
      item.name === 'eth0' ? { ...item, ifindex: 22 } : item,
    )
    expect(liveOf(state).drift.map(({ address }) => address)).toEqual([
      'interface.eth0.hook["xdp"]',
      'interface.eth0.hook["tcx-egress"]',
    ])
    must(state, applying(onOne))
    expect(hooks(state)).toEqual(['22 tcx-egress', '22 xdp'])
    expect(liveOf(state).drift).toEqual([])
  })
})

describe('a damaged instance', () => {
  test('whose active generation has no manifest keeps serving', () => {
    const state = fakeState()
    must(state, applying(version(10)))
    const views = packetView(state)
    const plan = planFor(state, version(20))
    fresh(state).kernel.fs.remove(`${root}/gen/1/manifest`)
    expect(() => apply(fresh(state), plan, quiet)).toThrow(/no generation .* owns the active slot/)
    expect(packetView(state)).toEqual(views)
    recover(fresh(state))
    expect(packetView(state)).toEqual(views)
  })
})
