/**
 * Rows of counters outlive their backends, so that totals stay while backends come and go. Where there is
 * no room, those that are gone give theirs to new ones: the maps grow with the backends that are loaded,
 * not with all that there ever were.
 */
import { rowsOver } from '../abi/struct.ts'
import { TABLES } from '../abi/tables.ts'
import { countersIn } from '../live/counters.ts'
import { u32s } from '../live/decode.ts'
import { generationFolders } from '../live/generations.ts'
import type { KernelPort, MapPort } from '../ports/kernel.ts'
import { u32 } from './keys.ts'
import type { Counters } from './counters.ts'
import type { World } from './world.ts'

/**
 * Without the rows of backends that no loaded generation has, that are not to come back, and
 * that have no connection; unless there is room for all. A dry run writes nothing.
 */
export function takeBackRows(world: World, counters: Counters, dryRun: boolean): Counters {
  const { kernel, paths } = world
  using ids = kernel.openMap(paths.map('backend_ids'))
  using stats = kernel.openMap(paths.map('backend_stats'))
  if (!ids || !stats) return counters
  const room = Math.min(ids.info.maxEntries, stats.info.maxEntries)
  if (counters.taken.length + counters.missing <= room) return counters
  const used = loadedRows(world)
  if (!used) return counters
  for (const row of counters.rows) if (row !== undefined) used.add(row)
  const gone = new Set<number>()
  const { count, keys, values } = ids.readAll()
  const { keySize } = ids.info
  for (const [i, row] of u32s(values).subarray(0, count).entries()) {
    if (used.has(row) || !isIdle(kernel, stats, row)) continue
    gone.add(row)
    if (!dryRun) freeRow(ids, stats, keys.subarray(i * keySize, (i + 1) * keySize), row)
  }
  return { ...counters, taken: counters.taken.filter((row) => !gone.has(row)) }
}

/** Rows that the packet path can reach through a generation; `undefined` where one cannot be read. */
function loadedRows({ kernel, paths }: World): Set<number> | undefined {
  const used = new Set<number>()
  for (const { path } of generationFolders(kernel, paths)) {
    using table = kernel.openMap(`${path}/backends`)
    if (table?.info.valueSize !== TABLES.backends.valueSize) return undefined
    const rows = rowsOver('lb_backend', table.readAll().values)
    for (let i = 0; i < rows.count; i++) used.add(rows.get(i, 'stats'))
  }
  return used
}

/** Whether all connections that were counted as opened are counted as closed. */
function isIdle(kernel: KernelPort, stats: MapPort, row: number): boolean {
  const value = stats.lookup(u32(row))
  if (!value) return false
  const { opened, closed } = countersIn(value, kernel)
  return opened === closed
}

/** The counters first: a row that has no owner is taken to be zero. */
function freeRow(ids: MapPort, stats: MapPort, key: Uint8Array, row: number): void {
  const value = stats.lookup(u32(row))
  if (value) stats.update(u32(row), new Uint8Array(value.length))
  ids.delete(key)
}
