import { expect, test } from 'vitest'
import { BpfMap, MAP_FLAGS, UPDATE } from '../../native/index.ts'
import { bytes, failure, u32 } from '../support/native.ts'

const made = (valueSize: number, maxEntries: number) =>
  BpfMap.create({
    type: 'array',
    name: 'mapped',
    keySize: 4,
    valueSize,
    maxEntries,
    flags: MAP_FLAGS.MMAPABLE | MAP_FLAGS.INNER_MAP,
  })

/** Rows are aligned to 8 bytes in the kernel, and next to each other in a buffer. */
test.each([1, 4, 8, 12, 16, 4096])('rows of %i bytes of a mapped array read as written', (size) => {
  using map = made(size, 1000)
  const rows = [999, 0, 500]
  const values = Uint8Array.from({ length: rows.length * size }, (_, i) => i * 7 + 1)
  map.updateBatch(u32(...rows), values)
  for (const [i, row] of rows.entries()) {
    expect(map.lookup(u32(row))).toEqual(values.slice(i * size, (i + 1) * size))
  }
  map.update(u32(1), new Uint8Array(size).fill(9), UPDATE.EXIST)
  const all = map.readAll()
  expect([all.count, all.keys.length, all.values.length]).toEqual([1000, 4000, 1000 * size])
  for (const row of [0, 1, 2, 500, 999]) {
    expect(all.keys.slice(4 * row, 4 * row + 4)).toEqual(u32(row))
    expect(all.values.slice(size * row, size * (row + 1))).toEqual(map.lookup(u32(row)))
  }
})

test('a mapped array that is frozen can be read and not written', () => {
  using map = made(4, 2)
  map.updateBatch(u32(0, 1), u32(3, 4))
  map.freeze()
  expect(failure(() => map.updateBatch(u32(0), u32(5))).code).toBe('EPERM')
  expect(map.readAll().values).toEqual(u32(3, 4))
})

test('a key beyond a mapped array, and flags that no row can meet, are refused', () => {
  using map = made(4, 2)
  expect(failure(() => map.updateBatch(u32(2), u32(5))).code).toBe('E2BIG')
  expect(failure(() => map.updateBatch(u32(0), u32(5), UPDATE.NOEXIST)).code).toBe('EEXIST')
  expect(map.readAll().values).toEqual(u32(0, 0))
  expect(() => map.updateBatch(u32(0), bytes(1))).toThrow(RangeError)
})
