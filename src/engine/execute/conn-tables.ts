/**
 * The tables of connections. They cannot grow, so an instance may have two sets of them: the current one,
 * which new connections enter, and a smaller one before it, where those that it has live on until they
 * end. Programs are told at load which sets there are. `meta` says the same, and is always written before
 * the programs that need it: whoever finds it after a writer was killed goes on from there.
 */
import { enums } from '../abi/layout.generated.ts'
import { structSize } from '../abi/struct.ts'
import { connectionsIn, readConnSets } from '../live/conn-sets.ts'
import type { ConnSets, KernelPort } from '../ports/kernel.ts'
import { emptyRows, fillRows } from './inners.ts'
import { u32, ZERO_KEY } from './keys.ts'
import { connTables, metaRow, openMeta, writeCurrentSet, writeOtherPartitions } from './meta.ts'
import type { ConnTables } from './meta.ts'
import { runUndo } from './restore.ts'
import type { Undo } from './restore.ts'
import { reloadPrograms } from './upgrade.ts'
import type { World } from './world.ts'

const { LB_CONN_PARTITIONS_MAX } = enums.lb_limit
const FAMILIES = [4, 6] as const
type Family = (typeof FAMILIES)[number]

/**
 * Makes a family's tables of the current set, when its first listener comes. Idempotent; adds to `undo` how to
 * take back what it made.
 */
export function ensureConnTables(world: World, family: Family, undo: Undo): void {
  using meta = openMeta(world)
  const row = metaRow(meta)
  const [partitions, entries] = [row.get(0, 'conn_partitions'), row.get(0, 'conn_partition_entries')]
  makeTables(world, family, row.get(0, 'conn_set'), { partitions, entries }, undo)
}

function makeTables(
  world: World,
  family: Family,
  set: number,
  { partitions, entries }: Pick<ConnTables, 'partitions' | 'entries'>,
  undo: Undo,
): void {
  const { kernel, paths } = world
  const outer = paths.map(`conn${family}`)
  const missing = missingRows(kernel, outer, set * LB_CONN_PARTITIONS_MAX, partitions)
  undo.push(() => removeTables(world, family, missing))
  fillRows(kernel, (rows) => {
    for (const index of missing) {
      kernel.fs.remove(paths.conn(family, index))
      const inner = kernel.createMap({
        type: 'hash',
        name: `conn${family}_${index}`,
        keySize: structSize(family === 4 ? 'lb_conn4_key' : 'lb_conn6_key'),
        valueSize: structSize(family === 4 ? 'lb_conn4' : 'lb_conn6'),
        maxEntries: entries,
        flags: [],
      })
      rows.push({ outer, index, inner })
      inner.pin(paths.conn(family, index))
    }
  })
}

function missingRows(kernel: KernelPort, path: string, first: number, count: number): number[] {
  using outer = kernel.openMap(path)
  return Array.from({ length: count }, (_, i) => first + i).filter((row) => !outer?.lookup(u32(row)))
}

function removeTables({ kernel, paths }: World, family: Family, tables: readonly number[]): void {
  const outer = paths.map(`conn${family}`)
  emptyRows(
    kernel,
    tables.map((index) => ({ outer, index })),
  )
  for (const index of tables) kernel.fs.remove(paths.conn(family, index))
}

/**
 * Makes room for so many connections, and gives up the tables before the current ones once they are empty. What
 * it does is not taken back when the apply fails later: larger tables do no harm.
 *
 * @returns what was done, in a phrase
 */
export function fitConnTables(world: World, maxConnections: number): string | undefined {
  const given = dropEmptySet(world)
  const { sets, capacity } = readConnSets(world.kernel, world.paths)
  if (maxConnections <= capacity) return given
  grow(world, sets, connTables(maxConnections))
  return `connection tables for ${maxConnections} connections`
}

/**
 * Programs that look into both sets run on all hooks before the first one enters a connection into the new
 * set: otherwise a reply could come to one that does not find it.
 */
function grow(world: World, { current, partitions }: ConnSets, tables: ConnTables): void {
  const { kernel, paths } = world
  const next = current ^ 1
  using meta = openMeta(world)
  const undo: Undo = []
  try {
    for (const family of FAMILIES) {
      using outer = kernel.openMap(paths.map(`conn${family}`))
      if (outer?.lookup(u32(current * LB_CONN_PARTITIONS_MAX))) makeTables(world, family, next, tables, undo)
    }
    undo.push(() => writeOtherPartitions(meta, 0))
    writeOtherPartitions(meta, tables.partitions)
    reloadPrograms(world, { current, partitions, otherPartitions: tables.partitions })
  } catch (error) {
    runUndo(undo)
    throw error
  }
  const before = meta.lookup(ZERO_KEY) ?? new Uint8Array()
  try {
    writeCurrentSet(meta, next, tables, partitions)
    reloadPrograms(world, { current: next, partitions: tables.partitions, otherPartitions: partitions })
  } catch (error) {
    // The programs of before are back, and look into both sets: some connections may be in the new one.
    meta.update(ZERO_KEY, before)
    throw error
  }
}

/** Takes the set before the current one away, where nothing is in it, and what a killed writer left of one. */
function dropEmptySet(world: World): string | undefined {
  const { kernel, paths } = world
  const { sets } = readConnSets(kernel, paths)
  const other = sets.current ^ 1
  let done: string | undefined
  if (sets.otherPartitions > 0) {
    if (connectionsIn(kernel, paths, other) > 0) return undefined
    reloadPrograms(world, { ...sets, otherPartitions: 0 })
    using meta = openMeta(world)
    writeOtherPartitions(meta, 0)
    done = 'gave up the connection tables of before'
  }
  const pins = kernel.fs.list(paths.connFolder) ?? []
  for (const family of FAMILIES) {
    const rows = pins
      .filter((pin) => pin.startsWith(`v${family}-`))
      .map((pin) => Number(pin.slice('v4-'.length)))
      .filter((row) => Math.floor(row / LB_CONN_PARTITIONS_MAX) === other)
    removeTables(world, family, rows)
  }
  return done
}
