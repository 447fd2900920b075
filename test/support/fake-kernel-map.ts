/** Maps with the semantics of the kernel's. */
import { arrayKeys } from '../../src/engine/abi/tables.ts'
import type { Entries, InnerRow, MapPort, MapSpec } from '../../src/engine/ports/kernel.ts'
import { pinObject } from './fake-kernel-fs.ts'
import { errno, newId, POSSIBLE_CPUS } from './fake-kernel-state.ts'
import type { FakeMap, FakeMapShape } from './fake-kernel-state.ts'
import type { Session } from './fake-kernel-session.ts'

const maps = new WeakMap<MapPort, () => FakeMap>()

/** The map behind a port. */
export function fakeMapOf(port: MapPort): FakeMap {
  const use = maps.get(port)
  if (!use) throw new TypeError('not a map of the fake kernel')
  return use()
}

export function makeMap(
  session: Session,
  spec: FakeMapShape & { name: string },
  template?: FakeMapShape,
): FakeMap {
  const { name, ...shape } = spec
  if (spec.maxEntries === 0 || spec.keySize === 0) throw errno('EINVAL', `create map ${name}`)
  if (spec.type === 'lpm_trie' && !spec.flags.includes('no-prealloc'))
    throw errno('EINVAL', `create map ${name}`)
  if (spec.type.endsWith('array') && spec.keySize !== 4) throw errno('EINVAL', `create map ${name}`)
  const id = newId(session.state)
  return {
    kind: 'map',
    id,
    name: name.slice(0, 15),
    ...shape,
    template,
    entries: new Map(),
    frozen: false,
    timer: undefined,
  }
}

export function createMap(session: Session, spec: MapSpec): MapPort {
  session.call(`create map ${spec.name}`)
  return mapPort(session, makeMap(session, spec))
}

/** Bytes of a value in a buffer: per-CPU maps have one for each CPU, padded to eight bytes. */
export function strideOf({ type, valueSize }: FakeMapShape): number {
  return type === 'percpu_array' ? Math.ceil(valueSize / 8) * 8 * POSSIBLE_CPUS : valueSize
}

const isArray = ({ type }: FakeMapShape): boolean => type === 'array' || type === 'percpu_array'
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)
const indexOf = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset).getUint32(0, true)
const valueBytes = (value: Uint8Array | FakeMap): Uint8Array =>
  'kind' in value ? u32(value.id) : value.slice()

export function mapPort(session: Session, map: FakeMap): MapPort {
  const { use, close } = session.descriptor(map)
  const label = `${map.name}#${map.id}`
  const call = (what: string): FakeMap => {
    session.call(`${what} ${label}`)
    return use()
  }
  const port: MapPort = {
    get info() {
      const { id, type, keySize, valueSize, maxEntries } = map
      return { id, type, keySize, valueSize, maxEntries }
    },
    lookup(key) {
      requireLength(key, map.keySize)
      return lookup(call('look up'), key)
    },
    update(key, value) {
      requireLength(key, map.keySize)
      requireLength(value, strideOf(map))
      update(call('update'), key, value)
    },
    delete: (key) => deleteEntry(call('delete from'), key),
    readAll: () => readAll(call('read')),
    updateBatch(keys, values) {
      const count = keys.length / map.keySize
      requireLength(values, count * strideOf(map))
      // Killed or failing after half of them: the kernel takes a batch entry by entry.
      for (let i = 0; i < count; i++) {
        if (i === 0 || i === count >> 1) call(`update entry ${i} and on of`)
        update(use(), row(keys, i, map.keySize), row(values, i, strideOf(map)))
      }
    },
    deleteBatch(keys) {
      call('delete from')
      const count = keys.length / map.keySize
      return Array.from({ length: count }, (_, i) => deleteEntry(use(), row(keys, i, map.keySize))).filter(
        Boolean,
      ).length
    },
    freeze() {
      const target = call('freeze')
      if (target.frozen) throw errno('EPERM', `freeze ${label}`)
      target.frozen = true
    },
    pin: (path) => pinObject(session, use(), path),
    [Symbol.dispose]: close,
  }
  maps.set(port, use)
  return port
}

/** Killed or failing after any of the rows, taken in the order that is given. */
export function writeInners(session: Session, rows: readonly InnerRow[]): void {
  for (const { outer: port, key, inner } of rows) {
    const outer = fakeMapOf(port)
    const what = `${inner ? 'put a map into' : 'take a map out of'} ${outer.name}#${outer.id}`
    session.call(what)
    requireWritable(outer)
    if (inner === undefined) {
      outer.entries.delete(latin1(key))
      continue
    }
    if (!fits(outer, fakeMapOf(inner))) throw errno('EINVAL', what)
    if (indexOf(key) >= outer.maxEntries) throw errno('E2BIG', what)
    outer.entries.set(latin1(key), fakeMapOf(inner))
  }
}

function row(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.slice(index * size, (index + 1) * size)
}

function requireLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes, not ${length}`)
}

function requireWritable(map: FakeMap): void {
  if (map.frozen) throw errno('EPERM', `update ${map.name}`)
}

function lookup(map: FakeMap, key: Uint8Array): Uint8Array | undefined {
  if (map.type === 'lpm_trie') return longestMatch(map, key)
  const value = map.entries.get(latin1(key))
  if (value) return valueBytes(value)
  return isArray(map) && indexOf(key) < map.maxEntries ? new Uint8Array(strideOf(map)) : undefined
}

function update(map: FakeMap, key: Uint8Array, value: Uint8Array): void {
  requireWritable(map)
  if (isArray(map)) {
    if (indexOf(key) >= map.maxEntries) throw errno('E2BIG', `update ${map.name}`)
  } else if (map.type === 'lpm_trie') {
    if (indexOf(key) > 8 * (map.keySize - 4)) throw errno('EINVAL', `update ${map.name}`)
    const same = samePrefix(map, key)
    if (same === undefined && map.entries.size >= map.maxEntries) throw errno('ENOSPC', `update ${map.name}`)
    if (same !== undefined) map.entries.delete(same)
  } else if (!map.entries.has(latin1(key)) && map.entries.size >= map.maxEntries) {
    throw errno('E2BIG', `update ${map.name}`)
  }
  map.entries.set(latin1(key), value.slice())
}

function deleteEntry(map: FakeMap, key: Uint8Array): boolean {
  requireWritable(map)
  if (isArray(map)) throw errno('EINVAL', `delete from ${map.name}`)
  const found = map.type === 'lpm_trie' ? samePrefix(map, key) : latin1(key)
  return found !== undefined && map.entries.delete(found)
}

/** A hash gives its entries in an order of its own: here the last one first. */
function readAll(map: FakeMap): Entries {
  const stride = strideOf(map)
  const keys = isArray(map) ? [...map.entries.keys()] : [...map.entries.keys()].reverse()
  const count = isArray(map) ? map.maxEntries : keys.length
  const entries: Entries = {
    count,
    keys: isArray(map) ? arrayKeys(count) : new Uint8Array(count * map.keySize),
    values: new Uint8Array(count * stride),
  }
  for (const [i, key] of keys.entries()) {
    const at = isArray(map) ? indexOf(bytesOf(key)) : i
    entries.keys.set(bytesOf(key), at * map.keySize)
    entries.values.set(valueBytes(map.entries.get(key)!), at * stride)
  }
  return entries
}

/** Whether the first `bits` bits after the length of a prefix are the same. */
function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const at = 4 + (bit >> 3)
    if (((a[at]! ^ b[at]!) & (0x80 >> (bit & 7))) !== 0) return false
  }
  return true
}

/** The kernel takes two keys for one where prefix and length are the same, whatever bits follow. */
function samePrefix(map: FakeMap, key: Uint8Array): string | undefined {
  const bits = indexOf(key)
  return [...map.entries.keys()].find((other) => {
    const known = bytesOf(other)
    return indexOf(known) === bits && sharesPrefix(known, key, bits)
  })
}

function longestMatch(map: FakeMap, key: Uint8Array): Uint8Array | undefined {
  let best = -1
  let value: Uint8Array | FakeMap | undefined
  for (const [other, candidate] of map.entries) {
    const known = bytesOf(other)
    const bits = indexOf(known)
    if (bits <= best || bits > indexOf(key) || !sharesPrefix(known, key, bits)) continue
    best = bits
    value = candidate
  }
  return value && valueBytes(value)
}

/** Arrays may be of another length only with `inner-map`; hashes and tries always. */
function fits({ template }: FakeMap, inner: FakeMap): boolean {
  if (!template) return false
  const { type, keySize, valueSize, maxEntries, flags } = template
  const sameSize = isArray(template) && !flags.includes('inner-map') ? inner.maxEntries === maxEntries : true
  const sameFlags = [...flags].sort().join() === [...inner.flags].sort().join()
  return (
    inner.type === type && inner.keySize === keySize && inner.valueSize === valueSize && sameSize && sameFlags
  )
}
