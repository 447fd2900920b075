/** Flat keys of one size, found and sorted by their bytes: tables of 100,000 rows without an object for each. */

export interface KeyIndex {
  /** The row that has the same key as a row of other keys of that size; -1: none. */
  readonly find: (keys: Uint8Array, row: number) => number
}

/** Of keys that are there once each: of others, the first counts. */
export function indexKeys(keys: Uint8Array, size: number): KeyIndex {
  const count = keys.length / size
  // Always with free slots, at which a search ends.
  const slots = 2 ** Math.ceil(Math.log2(2 * count + 1))
  const table = new Int32Array(slots).fill(-1)
  const slotOf = (others: Uint8Array, row: number): number => {
    let slot = hash(others, row * size, size) & (slots - 1)
    while (table[slot] !== -1 && !sameAt(keys, table[slot]! * size, others, row * size, size)) {
      slot = (slot + 1) & (slots - 1)
    }
    return slot
  }
  for (let row = 0; row < count; row++) {
    const slot = slotOf(keys, row)
    if (table[slot] === -1) table[slot] = row
  }
  return { find: (others, row) => table[slotOf(others, row)]! }
}

/** FNV-1a, its bits mixed so that the lowest ones depend on all. */
function hash(bytes: Uint8Array, at: number, size: number): number {
  let value = 0x811c9dc5
  for (let i = at; i < at + size; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}

function sameAt(a: Uint8Array, i: number, b: Uint8Array, j: number, size: number): boolean {
  for (let k = 0; k < size; k++) if (a[i + k] !== b[j + k]) return false
  return true
}

/** The rows in the order of their keys' bytes: a radix sort, from the last byte to the first. */
export function sortedRows(keys: Uint8Array, size: number): Uint32Array {
  const count = keys.length / size
  let rows = new Uint32Array(count)
  for (let row = 0; row < count; row++) rows[row] = row
  let sorted = new Uint32Array(count)
  for (let place = size - 1; place >= 0; place--) {
    const starts = new Uint32Array(257)
    for (let at = place; at < keys.length; at += size) starts[keys[at]! + 1]! += 1
    // Most bytes of most keys are the same in all.
    if (starts.includes(count)) continue
    for (let byte = 1; byte < 256; byte++) starts[byte]! += starts[byte - 1]!
    for (const row of rows) {
      const byte = keys[row * size + place]!
      sorted[starts[byte]!] = row
      starts[byte]! += 1
    }
    const spare = rows
    rows = sorted
    sorted = spare
  }
  return rows
}
