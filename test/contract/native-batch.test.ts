import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BpfMap, BpfObject, MAP_FLAGS, UPDATE, type MapSpec, type MapType } from '../../native/index.ts'
import { startChild } from '../support/native-child.ts'
import { compileBpf, failure, pinFolder, toU32, u32 } from '../support/native.ts'

const count = 5000

function create(type: MapType, extra: Partial<MapSpec> = {}): BpfMap {
  return BpfMap.create({ type, name: 'batch', keySize: 4, valueSize: 8, maxEntries: 2 * count, ...extra })
}

const numbers = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => i + from)

/** `count` keys and, for each, a value whose every byte tells of the key. */
function entriesOf(map: BpfMap, keys: readonly number[]): { keys: Uint8Array; values: Uint8Array } {
  const stride = map.valueStride
  const values = new Uint8Array(keys.length * stride)
  keys.forEach((key, i) => values.fill(key % 251, i * stride, (i + 1) * stride))
  return { keys: u32(...keys), values }
}

/** The keys of everything in the map, sorted, after a check that each has its value. */
function readKeys(map: BpfMap): number[] {
  const all = map.readAll()
  const stride = map.valueStride
  expect(all.keys).toHaveLength(all.count * 4)
  expect(all.values).toHaveLength(all.count * stride)
  const keys = toU32(all.keys)
  const wrong = keys.filter((key, i) =>
    all.values.subarray(i * stride, (i + 1) * stride).some((byte) => byte !== key % 251),
  )
  expect(wrong).toEqual([])
  return keys.sort((a, b) => a - b)
}

describe.each(['hash', 'percpu_hash'] as const)('%s', (type) => {
  test('is written, read and emptied in batches', () => {
    using map = create(type)
    expect(map.readAll()).toMatchObject({ count: 0, keys: new Uint8Array(0), values: new Uint8Array(0) })
    const { keys, values } = entriesOf(map, numbers(count))
    map.updateBatch(keys, values)
    expect(readKeys(map)).toEqual(numbers(count))
    expect(map.deleteBatch(u32(...numbers(count / 2), 4_000_000, ...numbers(count / 2, 100)))).toBe(
      count / 2 + 100,
    )
    expect(readKeys(map)).toEqual(numbers(count / 2 - 100, count / 2 + 100))
  })

  test('is read also when full', () => {
    using map = create(type, { maxEntries: 700 })
    const { keys, values } = entriesOf(map, numbers(700))
    map.updateBatch(keys, values)
    expect(readKeys(map)).toEqual(numbers(700))
  })
})

test.each(['lru_hash', 'lru_percpu_hash'] as const)('%s is written, read and emptied', (type) => {
  using map = create(type, { maxEntries: 100_000 })
  const { keys, values } = entriesOf(map, numbers(count))
  map.updateBatch(keys, values)
  expect(readKeys(map)).toEqual(numbers(count))
  expect(map.deleteBatch(keys)).toBe(count)
  expect(map.readAll().count).toBe(0)
})

test.each(['array', 'percpu_array'] as const)('%s is read in order of its rows', (type) => {
  using map = create(type, { maxEntries: count })
  const { keys, values } = entriesOf(map, numbers(count))
  map.updateBatch(keys, values)
  const all = map.readAll()
  expect(all.count).toBe(count)
  expect(toU32(all.keys)).toEqual(numbers(count))
  expect(all.values).toEqual(values)
  expect(failure(() => map.deleteBatch(keys))).toMatchObject({
    code: 'EINVAL',
    message: `delete from map 'batch' (key 1 of ${count}): Invalid argument (EINVAL)`,
  })
})

test('lpm_trie is written, read and emptied', () => {
  using map = create('lpm_trie', { keySize: 8, flags: MAP_FLAGS.NO_PREALLOC })
  // Prefixes of 32 bits; the address lies in network order.
  const keys = u32(...numbers(count).flatMap((i) => [32, i * 256 + 10]))
  const values = new Uint8Array(count * 8).fill(9)
  map.updateBatch(keys, values)
  const all = map.readAll()
  expect(all.count).toBe(count)
  expect(new Set(toU32(all.keys).filter((_, i) => i % 2 === 1)).size).toBe(count)
  expect(map.deleteBatch(keys)).toBe(count)
  expect(map.readAll().count).toBe(0)
})

describe('one by one', () => {
  test('prog_array, which knows no batches, is read and emptied', () => {
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_drop')
    using map = create('prog_array', { valueSize: 4, maxEntries: 8 })
    map.updateBatch(u32(1, 5), u32(program.fd, program.fd))
    const all = map.readAll()
    expect(toU32(all.keys)).toEqual([1, 5])
    expect(toU32(all.values)).toEqual([program.info.id, program.info.id])
    expect(map.deleteBatch(u32(0, 1, 5))).toBe(2)
    expect(map.readAll().count).toBe(0)
  })

  test('devmap is read', () => {
    using map = create('devmap', { valueSize: 4, maxEntries: 8 })
    map.updateBatch(u32(3), u32(1))
    expect(map.readAll()).toMatchObject({ count: 1, keys: u32(3), values: u32(1) })
  })

  test('flags that batches do not know are obeyed', () => {
    using map = create('hash')
    const { keys, values } = entriesOf(map, numbers(10))
    map.updateBatch(keys, values, UPDATE.NOEXIST)
    expect(readKeys(map)).toEqual(numbers(10))
    expect(failure(() => map.updateBatch(keys, values, UPDATE.NOEXIST)).code).toBe('EEXIST')
    map.updateBatch(keys, values, UPDATE.EXIST)
  })

  test('tells which entry was refused', () => {
    using map = create('hash', { maxEntries: 3 })
    const { keys, values } = entriesOf(map, numbers(5))
    expect(failure(() => map.updateBatch(keys, values))).toMatchObject({
      code: 'E2BIG',
      message: `update map 'batch' (entry 4 of 5): Argument list too long (E2BIG)`,
    })
    expect(map.readAll().count).toBe(3)
  })
})

test('empty batches change nothing', () => {
  using map = create('hash')
  map.updateBatch(u32(), u32())
  expect(map.deleteBatch(u32())).toBe(0)
  expect(map.readAll().count).toBe(0)
})

test('what was read outlives the map', () => {
  const map = create('hash')
  const { keys, values } = entriesOf(map, numbers(count))
  map.updateBatch(keys, values)
  const all = map.readAll()
  map.close()
  expect(new Set(toU32(all.keys)).size).toBe(count)
  expect(all.values.buffer.byteLength).toBe(count * 8)
})

describe('a map that changes meanwhile', () => {
  test.each(['hash', 'lpm_trie', 'lru_hash'] as const)(
    '%s is read to an end, each key once',
    async (type) => {
      const path = join(pinFolder(), 'map')
      const flags = type === 'lpm_trie' ? MAP_FLAGS.NO_PREALLOC : 0
      using map = create(type, { keySize: 8, flags })
      map.pin(path)
      const stable = numbers(500).flatMap((i) => [32, i * 2])
      map.updateBatch(u32(...stable), new Uint8Array(500 * 8))
      const child = startChild((native, path) => {
        const map = native.BpfMap.openPinned(path)
        const keys = Array.from(
          { length: 500 },
          (_, i) => new Uint8Array(Uint32Array.of(32, i * 2 + 1).buffer),
        )
        const value = new Uint8Array(8)
        process.stdout.write('busy')
        for (;;) {
          for (const key of keys) map.update(key, value)
          for (const key of keys) map.delete(key)
        }
      }, path)
      await once(child.stdout!, 'data')
      for (let i = 0; i < 300; i++) {
        const keys = toU32(map.readAll().keys).filter((_, i) => i % 2 === 1)
        expect(new Set(keys).size).toBe(keys.length)
        // The kernel's walk of a trie can lose its place, and with it keys that nobody touches.
        if (type !== 'lpm_trie') expect(keys.filter((key) => key % 2 === 0)).toHaveLength(500)
      }
      expect(child.exitCode).toBeNull()
    },
  )
})
