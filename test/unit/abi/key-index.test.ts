import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexKeys, sortedRows } from '../../../src/engine/abi/key-index.ts'

const SIZE = 3
/** Of few different bytes, so that many have a part in common. */
const key = fc.array(fc.constantFrom(0, 1, 127, 128, 255), { minLength: SIZE, maxLength: SIZE })
const keys = fc.uniqueArray(key, { selector: String, maxLength: 60 })
const flat = (list: readonly (readonly number[])[]): Uint8Array => Uint8Array.from(list.flat())

test('keys are found by their bytes, and no others', () => {
  fc.assert(
    fc.property(keys, keys, (known, others) => {
      const index = indexKeys(flat(known), SIZE)
      const texts = known.map(String)
      for (const [row, other] of others.entries()) {
        expect(index.find(flat(others), row)).toBe(texts.indexOf(String(other)))
      }
    }),
  )
})

test('of two equal keys the first is found', () => {
  const known = flat([
    [1, 2, 3],
    [4, 5, 6],
    [4, 5, 6],
  ])
  expect(indexKeys(known, SIZE).find(Uint8Array.of(4, 5, 6), 0)).toBe(1)
})

test('rows are sorted by the bytes of their keys, from the first to the last', () => {
  fc.assert(
    fc.property(keys, (list) => {
      const sorted = [...sortedRows(flat(list), SIZE)].map((row) => list[row]!)
      expect(sorted).toEqual(
        [...list].sort(([a0 = 0, a1 = 0, a2 = 0], [b0 = 0, b1 = 0, b2 = 0]) => a0 - b0 || a1 - b1 || a2 - b2),
      )
    }),
  )
})
