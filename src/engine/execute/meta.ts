/** The row that says what an instance's maps and programs were made by, and for how much. */
import { enums } from '../abi/layout.generated.ts'
import { rowsOver, structSize } from '../abi/struct.ts'
import type { Rows } from '../abi/struct.ts'
import { missingPin } from '../live/pins.ts'
import { DEFAULT_SETTINGS } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import { ZERO_KEY } from './keys.ts'
import type { World } from './world.ts'

export const CONN_PARTITIONS = 8
/** Connections of a partition, which the timer walks at once, as long as there can be more partitions. */
const PARTITION_CONNECTIONS = 12_500

/** How a set of connection tables is made. */
export interface ConnTables {
  readonly capacity: number
  readonly partitions: number
  readonly entries: number
}

/** Tables for so many connections: never for fewer than by default, so that the number can be raised to that. */
export function connTables(maxConnections: number): ConnTables {
  const capacity = Math.max(maxConnections, DEFAULT_SETTINGS.maxConnections)
  const wanted = 2 ** Math.ceil(Math.log2(capacity / PARTITION_CONNECTIONS))
  const partitions = Math.min(Math.max(wanted, CONN_PARTITIONS), enums.lb_limit.LB_CONN_PARTITIONS_MAX)
  // Two halves, and 2 % on top because a hash does not fill partitions evenly.
  return { capacity, partitions, entries: Math.ceil((2 * capacity * 1.02) / partitions) }
}

export function openMeta({ kernel, paths }: World): MapPort {
  const meta = kernel.openMap(paths.meta)
  if (!meta) throw missingPin(paths.meta)
  return meta
}

export function metaRow(meta: MapPort): Rows<'lb_meta'> {
  return rowsOver('lb_meta', meta.lookup(ZERO_KEY) ?? new Uint8Array(structSize('lb_meta')))
}

interface Made {
  readonly backendCapacity: number
  readonly sha256: Uint8Array
}

export function writeMeta(meta: MapPort, { backendCapacity, sha256 }: Made): void {
  const row = metaRow(meta)
  row.set(0, 'abi_version', enums.lb_limit.LB_ABI_VERSION)
  row.set(0, 'backend_capacity', backendCapacity)
  row.slice(0, 'object_sha256').set(sha256)
  meta.update(ZERO_KEY, row.bytes)
}

/** Makes `set` the current one; `others`: partitions of the one before it, 0 for none. */
export function writeCurrentSet(meta: MapPort, set: number, tables: ConnTables, others: number): void {
  const row = metaRow(meta)
  row.set(0, 'conn_set', set)
  row.set(0, 'conn_partitions', tables.partitions)
  row.set(0, 'conn_other_partitions', others)
  row.set(0, 'conn_partition_entries', tables.entries)
  row.set(0, 'conn_capacity', tables.capacity)
  meta.update(ZERO_KEY, row.bytes)
}

export function writeOtherPartitions(meta: MapPort, partitions: number): void {
  const row = metaRow(meta)
  row.set(0, 'conn_other_partitions', partitions)
  meta.update(ZERO_KEY, row.bytes)
}
