/** Reading an instance that somebody else has had hands on. */
import { describe, expect, test } from 'vitest'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { rowsOver } from '../../../src/engine/abi/struct.ts'
import { listGenerations } from '../../../src/engine/live/generations.ts'
import { OUTER_TABLES, PROGRAM_NAMES, SHARED_MAPS } from '../../../src/engine/live/pins.ts'
import { readRaw } from '../../../src/engine/live/raw.ts'
import { readLive } from '../../../src/engine/live/read.ts'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { applying, fresh, INSTANCE, liveOf, must, proxy, snapshotOf } from '../execute/support.ts'

const root = `/sys/fs/bpf/lb/${INSTANCE}`
const snapshot = snapshotOf([proxy('web')])

function applied(): FakeState {
  const state = fakeState()
  must(state, applying(snapshot))
  return state
}

const mapAt = (state: FakeState, path: string): FakeMap => findNode(state, `${root}/${path}`) as FakeMap
const remove = (state: FakeState, path: string): void => fresh(state).kernel.fs.remove(`${root}/${path}`)
const stateError = (message: string | RegExp) =>
  expect.objectContaining({ code: 'state', message: expect.stringMatching(message) as string }) as Error

describe('what is not there', () => {
  test('is nothing applied: no instance, and one that was never finished', () => {
    const state = fakeState()
    const nothing: Partial<LiveState> = {
      generation: 0,
      deployment: EMPTY_DEPLOYMENT,
      drift: [],
      program: undefined,
    }
    expect(liveOf(state)).toMatchObject(nothing)
    fresh(state).kernel.fs.makeDirectory(root)
    expect(liveOf(state)).toMatchObject(nothing)
  })

  test.each(['active', ...SHARED_MAPS])('is named: %s', (name) => {
    const state = applied()
    remove(state, name)
    expect(() => liveOf(state)).toThrow(stateError(`^${root}/${name} is missing, but other pins`))
  })

  test.each([
    ...OUTER_TABLES.map((name) => `tables/${name}`),
    ...PROGRAM_NAMES.map((name) => `prog/${name}`),
  ])('is named: %s', (path) => {
    const state = applied()
    remove(state, path)
    expect(() => liveOf(state)).toThrow(stateError(`^${root}/${path} is missing`))
  })

  test('is drift where an apply can make it again', () => {
    const state = applied()
    remove(state, 'gen/1/routes')
    remove(state, 'gen/1/groups')
    const { drift, deployment } = liveOf(state)
    const structural = drift.filter(({ address }) => address.startsWith('generation'))
    expect(structural).toEqual([
      {
        action: 'delete',
        address: 'generation[1].routes',
        before: { pinned: true },
        after: null,
        where: `${root}/gen/1/routes`,
      },
      expect.objectContaining({ address: 'generation[1].groups' }),
    ])
    expect(deployment.snapshot.proxies[0]?.sourceRoutes).toEqual([])
  })

  test('is the end where it is the generation that serves', () => {
    const state = applied()
    remove(state, 'gen/1')
    expect(() => liveOf(state)).toThrow(stateError(/no generation under .*\/gen owns the active slot 0/))
  })
})

describe('what is of another kind', () => {
  test('is refused: maps of another version', () => {
    const state = applied()
    const [value] = mapAt(state, 'meta').entries.values()
    rowsOver('lb_meta', value as Uint8Array).set(0, 'abi_version', 99)
    const version = enums.lb_limit.LB_ABI_VERSION
    expect(() => liveOf(state)).toThrow(
      stateError(`made by another version of lb: its maps have layout 99, this lb reads ${version}`),
    )
  })

  test('is refused: a table with rows of another size', () => {
    const state = applied()
    const folder = findNode(state, `${root}/gen/1`)
    if (folder?.kind !== 'folder') throw new Error('no generation')
    folder.children.set('members', { ...mapAt(state, 'gen/1/members'), valueSize: 8 })
    expect(() => liveOf(state)).toThrow(
      stateError(/members is not a map that lb made: .* values of 8, not 4 and 16/),
    )
  })

  test('is drift: another map in the slot that packets use', () => {
    const state = applied()
    const pinned = mapAt(state, 'gen/1/selection')
    mapAt(state, 'tables/selection').entries.set('\0\0\0\0', { ...pinned, id: 4711 })
    expect(liveOf(state).drift).toEqual([
      {
        action: 'update',
        address: 'generation[1].selection',
        before: { mapId: pinned.id },
        after: { mapId: 4711 },
        where: `${root}/tables/selection`,
      },
    ])
  })

  test('is drift: a manifest that cannot be read', () => {
    const state = applied()
    const manifest = mapAt(state, 'gen/1/manifest')
    const [[key, value]] = [...manifest.entries] as [[string, Uint8Array]]
    manifest.entries.set(
      key,
      value.map((byte, i) => (i < 24 ? byte : 0xff)),
    )
    const live = liveOf(state)
    expect(live.drift).toContainEqual({
      action: 'delete',
      address: 'generation[1].manifest',
      before: { readable: true },
      after: null,
      where: `${root}/gen/1/manifest`,
    })
    expect(live.applied).toBeUndefined()
    expect(live.deployment.snapshot).toEqual(snapshot)
    must(state, applying(snapshot))
    expect(liveOf(state)).toMatchObject({ generation: 2, drift: [] })
  })
})

test('proxies are told in the order of their names, also where a name was changed', () => {
  const state = fakeState()
  must(state, applying(snapshotOf([proxy('api'), proxy('web', { port: 81 })])))
  const [first] = mapAt(state, 'gen/1/proxies').entries.values()
  rowsOver('lb_proxy', first as Uint8Array).setText(0, 'name', 'zoo')
  expect(liveOf(state).deployment.snapshot.proxies.map(({ name }) => name)).toEqual(['web', 'zoo'])
})

test('a manifest that claims more than it holds is listed all the same', () => {
  const state = applied()
  const manifest = mapAt(state, 'gen/1/manifest')
  const [[key, value]] = [...manifest.entries] as [[string, Uint8Array]]
  const claims = value.slice()
  new DataView(claims.buffer).setUint32(16, 1_000_000, true)
  manifest.entries.set(key, claims)
  const { kernel, host, paths } = fresh(state)
  expect(listGenerations(kernel, host, paths, 0)).toMatchObject([{ number: 1, slot: 0, active: true }])
})

describe('the fingerprint', () => {
  test('is the same while nothing changes, and another one when anything does', () => {
    const state = applied()
    const before = liveOf(state).fingerprint
    expect(liveOf(state).fingerprint).toBe(before)
    mapAt(state, 'gen/1/members').entries.clear()
    expect(liveOf(state).fingerprint).not.toBe(before)
  })

  test('tells hooks and programs too', () => {
    const state = applied()
    const seen = new Set([liveOf(state).fingerprint])
    fresh(state).kernel.detach(`${root}/link/eth0:xdp`)
    seen.add(liveOf(state).fingerprint)
    const [meta] = mapAt(state, 'meta').entries.values()
    rowsOver('lb_meta', meta as Uint8Array).slice(0, 'object_sha256')[0]! ^= 1
    seen.add(liveOf(state).fingerprint)
    expect(seen.size).toBe(3)
  })
})

test('raw: every row by the names of its fields, counters summed over CPUs', () => {
  const state = applied()
  const cpus = [
    [1n, 100n, 2n, 200n, 1n, 0n, 1n, 0n, 0n, 0n, 1n, 0n],
    [4n, 2n ** 40n, 5n, 500n, 1n, 1n, 0n, 2n, 3n, 4n, 5n, 6n],
  ]
  const packets = new BigUint64Array(cpus.flat())
  mapAt(state, 'backend_stats').entries.set('\x01\0\0\0', new Uint8Array(packets.buffer))
  mapAt(state, 'reasons').entries.set('\x19\0\0\0', new Uint8Array(new BigUint64Array([3n, 4n]).buffer))
  const { kernel, host, instance, paths } = fresh(state)
  const { live, images } = readLive(kernel, host, instance, paths)
  const raw = readRaw(kernel, paths, live, images)
  expect(raw.reasons).toEqual({ LB_REDIRECT: 7 })
  expect(raw.backends['10.0.0.2:8080/tcp']).toEqual({
    packetsForward: 5,
    bytesForward: 2 ** 40 + 100,
    packetsReverse: 7,
    bytesReverse: 700,
    opened: 2,
    closed: 1,
    established: 1,
    refused: 2,
    timedOut: 3,
    reset: 4,
    ended: 6,
    removed: 6,
  })
  expect(raw.tables['members']?.[0]).toEqual({ key: 0, value: { backend: 0, weight: 50, flags: 0 } })
  expect(raw.tables['listeners']?.[0]?.key).toMatchObject({ addr: '0.0.0.0', ifindex: 2, port: 80, proto: 6 })
  expect(raw.links.map(({ pin }) => pin)).toEqual(['eth0:tcx-egress', 'eth0:xdp'])
})
