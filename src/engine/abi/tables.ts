/** The tables that make up a generation: one inner map each, pinned under gen/<number>/<table>. */
import { enums } from './layout.generated.ts'
import { indexKeys } from './key-index.ts'
import { structSize } from './struct.ts'
import type { StructName } from './struct.ts'

export type TableKind = 'hash' | 'lpm' | 'array'

export interface TableSpec {
  readonly kind: TableKind
  readonly keySize: number
  readonly valueSize: number
}

const hash = (key: StructName | 4, value: StructName): TableSpec => ({
  kind: 'hash',
  keySize: key === 4 ? 4 : structSize(key),
  valueSize: structSize(value),
})
const array = (value: StructName | number): TableSpec => ({
  kind: 'array',
  keySize: 4,
  valueSize: typeof value === 'number' ? value : structSize(value),
})

export const MANIFEST_CHUNK = enums.lb_limit.LB_MANIFEST_CHUNK

export const TABLES = {
  listeners: hash('lb_listener_key', 'lb_listener'),
  routes: { kind: 'lpm', keySize: structSize('lb_route_key'), valueSize: structSize('lb_route') },
  groups: array('lb_group'),
  backends: array('lb_backend'),
  selection: array(4),
  members: array('lb_member'),
  proxies: array('lb_proxy'),
  interfaces: hash(4, 'lb_interface'),
  settings: array('lb_settings'),
} as const satisfies Record<string, TableSpec>

/** What packets and user space read. The manifest, how a generation came to be, is kept beside them. */
export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[]
export const MANIFEST_SPEC: TableSpec = array(MANIFEST_CHUNK)

/** Contents of one table: `count` keys and values, flat. An array's keys are 0 to count - 1. */
export interface TableImage {
  readonly count: number
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

export type TableImages = Readonly<Record<TableName, TableImage>>

/** The keys of an array of `count` rows. */
export function arrayKeys(count: number): Uint8Array {
  const keys = new Uint32Array(count)
  for (let i = 0; i < count; i++) keys[i] = i
  return new Uint8Array(keys.buffer)
}

/** An array's image; the kernel has no empty arrays, so no rows become one zeroed row. */
export function arrayImage(values: Uint8Array, valueSize: number): TableImage {
  const padded = values.length === 0 ? new Uint8Array(valueSize) : values
  const count = padded.length / valueSize
  return { count, keys: arrayKeys(count), values: padded }
}

export function keyAt(spec: TableSpec, image: TableImage, row: number): Uint8Array {
  return image.keys.subarray(row * spec.keySize, (row + 1) * spec.keySize)
}

export function valueAt(spec: TableSpec, image: TableImage, row: number): Uint8Array {
  return image.values.subarray(row * spec.valueSize, (row + 1) * spec.valueSize)
}

/** Latin-1 text of some bytes, to key a `Map` by. */
export function bytesKey(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Whether two images hold the same entries, in whatever order a hash gives them. */
export function sameImage(spec: TableSpec, a: TableImage, b: TableImage): boolean {
  if (a.count !== b.count) return false
  if (spec.kind === 'array') return sameBytes(a.values, b.values)
  const rows = indexKeys(a.keys, spec.keySize)
  for (let i = 0; i < b.count; i++) {
    const row = rows.find(b.keys, i)
    if (row === -1 || !sameBytes(valueAt(spec, a, row), valueAt(spec, b, i))) return false
  }
  return true
}
