/** Backends come and go for ever; the maps of their counters grow with those that are loaded. */
import { describe, expect, test } from 'vitest'
import { makeRows, rowsOver } from '../../../src/engine/abi/struct.ts'
import { apply } from '../../../src/engine/execute/apply.ts'
import { u32s } from '../../../src/engine/live/decode.ts'
import { readLive } from '../../../src/engine/live/read.ts'
import { readRaw } from '../../../src/engine/live/raw.ts'
import { inventory } from '../../support/fake-kernel-inventory.ts'
import { fakeState, findNode } from '../../support/fake-kernel-state.ts'
import type { FakeMap, FakeState } from '../../support/fake-kernel-state.ts'
import { fill } from './scenarios.ts'
import { applying, fresh, INSTANCE, must, planFor, proxy, quiet, rollingBack, snapshotOf } from './support.ts'

const root = `/sys/fs/bpf/lb/${INSTANCE}`
const mapAt = (state: FakeState, path: string): FakeMap => findNode(state, `${root}/${path}`) as FakeMap
const room = (state: FakeState): number => mapAt(state, 'backend_stats').maxEntries

/** Two targets, and one of a source route. */
const seeded = (...seeds: number[]) =>
  snapshotOf(seeds.map((seed) => proxy(`web-${seed}`, { seed, port: 80 + seed })))
const names = (...seeds: number[]) =>
  seeds.flatMap((seed) =>
    [`10.0.${seed}.1`, `10.0.${seed}.2`, `10.1.${seed}.1`].map((ip) => `${ip}:8080/tcp`),
  )

function countersOf(state: FakeState) {
  const { kernel, host, instance, paths } = fresh(state)
  const { live, images } = readLive(kernel, host, instance, paths)
  return readRaw(kernel, paths, live, images).backends
}

/** Traffic of every backend: `opened` on one CPU, `closed` on the other. */
function count(state: FakeState, opened: number, closed: number): void {
  const rows = makeRows('lb_backend_stats', 2)
  for (const cpu of [0, 1]) rows.set(cpu, 'packets_fwd', 50)
  rows.set(0, 'opened', opened)
  rows.set(1, 'closed', closed)
  for (const value of mapAt(state, 'backend_ids').entries.values()) {
    const key = String.fromCharCode(u32s(value as Uint8Array)[0]!, 0, 0, 0)
    mapAt(state, 'backend_stats').entries.set(key, rows.bytes.slice())
  }
}

/** Backends of seed 1 had traffic and are gone; those of seed 2 serve, and there is no room for more. */
function full({ keep = 1, closed = 3 } = {}): FakeState {
  const state = fakeState()
  must(state, applying(seeded(1)))
  count(state, 3, closed)
  must(state, applying(seeded(2), { keep }))
  return fill(state)
}

describe('where there is no room', () => {
  test('new backends take the rows of those that are gone, and count from zero', () => {
    const state = full()
    const before = room(state)
    must(state, applying(seeded(2, 3)))
    expect(room(state)).toBe(before)
    const counters = countersOf(state)
    expect(Object.keys(counters).sort()).toEqual(names(2, 3).sort())
    for (const name of names(3))
      expect(counters[name]).toMatchObject({ packetsForward: 0, opened: 0, closed: 0 })
    const rows = [...mapAt(state, 'backend_ids').entries.values()].map(
      (value) => u32s(value as Uint8Array)[0],
    )
    expect(new Set(rows).size).toBe(6)
  })

  test('a backend that has connections keeps its row', () => {
    const state = full({ closed: 2 })
    const before = room(state)
    must(state, applying(seeded(2, 3)))
    expect(room(state)).toBeGreaterThan(before)
    for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ opened: 3, closed: 2 })
  })

  test('so does one of a generation that can be gone back to', () => {
    const state = full({ keep: 8 })
    must(state, applying(seeded(2, 3)))
    must(state, rollingBack(1))
    for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 100 })
  })

  test('and one that comes back', () => {
    const state = full()
    must(state, applying(seeded(1, 2, 3)))
    for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 100 })
    for (const name of names(3)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 0 })
  })

  test('and all of them, while a generation cannot be read', () => {
    const state = full({ keep: 8 })
    fresh(state).kernel.fs.remove(`${root}/gen/1/backends`)
    const before = room(state)
    must(state, applying(seeded(2, 3)))
    expect(room(state)).toBeGreaterThan(before)
    for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 100 })
  })

  test('a dry run changes nothing', () => {
    const state = full()
    const before = inventory(state)
    apply(fresh(state), planFor(state, seeded(2, 3)), { ...quiet, dryRun: true })
    expect(inventory(state)).toEqual(before)
    for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 100 })
  })
})

test('where there is room, backends that are gone keep their counters', () => {
  const state = fakeState()
  must(state, applying(seeded(1)))
  count(state, 3, 3)
  must(state, applying(seeded(2), { keep: 1 }))
  must(state, applying(seeded(3), { keep: 1 }))
  for (const name of names(1)) expect(countersOf(state)[name]).toMatchObject({ packetsForward: 100 })
})

test('the maps stay as large as they are while backends come and go', () => {
  const state = full()
  const before = room(state)
  for (let seed = 3; seed < 100; seed += 1) {
    must(state, applying(seeded(seed), { keep: 1 }))
    const compiled = rowsOver('lb_backend', countedRows(state))
    const rows = Array.from({ length: compiled.count }, (_, i) => compiled.get(i, 'stats'))
    expect(Math.max(...rows)).toBeLessThan(before)
  }
  expect(room(state)).toBe(before)
})

/** The table of backends that serves, as bytes. */
function countedRows(state: FakeState): Uint8Array {
  const { kernel, host, instance, paths } = fresh(state)
  return readLive(kernel, host, instance, paths).images!.backends.values
}
