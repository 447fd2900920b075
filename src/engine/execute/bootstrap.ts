/**
 * Makes an instance: everything that outlives generations. `active` is pinned last: without it the
 * instance does not exist, and what is there of it is swept away (recover.ts).
 */
import { enums } from '../abi/layout.generated.ts'
import { makeRows, rowsOver, structSize } from '../abi/struct.ts'
import { OUTER_TABLES, PROGRAM_NAMES, SHARED_MAPS } from '../live/pins.ts'
import type { ProgramName } from '../live/pins.ts'
import { SLOT_NONE } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import { DEFAULT_SETTINGS } from '../model/snapshot.ts'
import type { DataPlanePort, MapPort, ProgramPort } from '../ports/kernel.ts'
import type { World } from './world.ts'

/** Programs by the name of their pin. */
export const PROGRAMS = {
  xdp: 'lb_xdp',
  tc_ingress: 'lb_tc_ingress',
  tc_egress: 'lb_tc_egress',
  sweep_start: 'lb_sweep_start',
} as const satisfies Record<ProgramName, string>

export const CONN_PARTITIONS = 8
/** Connections of a partition, which the timer walks at once, as long as there can be more partitions. */
const PARTITION_CONNECTIONS = 12_500

/** How the connection tables of an instance are made. */
interface ConnTables {
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

export const ZERO_KEY = new Uint8Array(4)
export const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

/** Rows of backend_stats for so many backends: room to double before the map has to grow. */
export function backendCapacity(backends: number): number {
  return Math.max(4096, 2 ** Math.ceil(Math.log2(2 * Math.max(1, backends))))
}

export function bootstrap({ kernel, paths }: World, backends: number, maxConnections: number): void {
  for (const folder of [paths.root, `${paths.root}/tables`, paths.connFolder, paths.programFolder]) {
    kernel.fs.makeDirectory(folder)
  }
  for (const folder of [paths.linkFolder, paths.generations]) kernel.fs.makeDirectory(folder)
  const capacity = backendCapacity(backends)
  const tables = connTables(maxConnections)
  using plane = kernel.loadDataPlane({
    reuse: {},
    maxEntries: { backend_stats: capacity, backend_ids: capacity },
    connPartitions: tables.partitions,
  })
  using meta = plane.map('meta')
  writeMeta(meta, { backendCapacity: capacity, sha256: kernel.objectSha256, tables })
  for (const table of OUTER_TABLES) pinMap(plane, table, paths.outer(table))
  for (const name of SHARED_MAPS) pinMap(plane, name, paths.map(name))
  for (const name of PROGRAM_NAMES) {
    using program = plane.program(PROGRAMS[name])
    program.pin(paths.program(name))
  }
  using active = plane.map('active')
  active.update(ZERO_KEY, u32(SLOT_NONE))
  using sweep = plane.program(PROGRAMS.sweep_start)
  startSweep(sweep)
  active.pin(paths.active)
}

/** The one write that decides which generation packets see. */
export function setActive({ kernel, paths }: World, slot: number): void {
  using active = kernel.openMap(paths.active)
  if (!active) throw new LbError('state', `${paths.active} is missing`)
  active.update(ZERO_KEY, u32(slot))
}

function pinMap(plane: DataPlanePort, name: string, path: string): void {
  using map = plane.map(name)
  map.pin(path)
}

/** Arms the timer by which the kernel forgets connections; it runs on without user space. */
export function startSweep(program: ProgramPort): void {
  const result = program.run()
  if (result !== 0)
    throw new LbError('kernel', `the timer that forgets connections did not start: ${result | 0}`)
}

interface Made {
  readonly backendCapacity: number
  readonly sha256: Uint8Array
  /** Left as they are, where they are not given. */
  readonly tables?: ConnTables
}

export function writeMeta(meta: MapPort, { backendCapacity: capacity, sha256, tables }: Made): void {
  const row = rowsOver('lb_meta', meta.lookup(ZERO_KEY) ?? makeRows('lb_meta', 1).bytes)
  row.set(0, 'abi_version', enums.lb_limit.LB_ABI_VERSION)
  if (tables) {
    row.set(0, 'conn_partitions', tables.partitions)
    row.set(0, 'conn_partition_entries', tables.entries)
    row.set(0, 'conn_capacity', tables.capacity)
  }
  row.set(0, 'backend_capacity', capacity)
  row.slice(0, 'object_sha256').set(sha256)
  meta.update(ZERO_KEY, row.bytes)
}

/**
 * Makes a family's connection table, when the first listener of that family comes. Idempotent; adds to
 * `undo` how to take back what it made.
 */
export function ensureConnTable(world: World, family: 4 | 6, undo: (() => void)[]): void {
  const { kernel, paths } = world
  using meta = kernel.openMap(paths.meta)
  const row = rowsOver('lb_meta', meta?.lookup(ZERO_KEY) ?? new Uint8Array())
  using outer = kernel.openMap(paths.map(`conn${family}`))
  for (let partition = 0; partition < row.get(0, 'conn_partitions'); partition++) {
    if (outer?.lookup(u32(partition))) continue
    kernel.fs.remove(paths.conn(family, partition))
    using inner = kernel.createMap({
      type: 'hash',
      name: `conn${family}_${partition}`,
      keySize: structSize(family === 4 ? 'lb_conn4_key' : 'lb_conn6_key'),
      valueSize: structSize(family === 4 ? 'lb_conn4' : 'lb_conn6'),
      maxEntries: row.get(0, 'conn_partition_entries'),
      flags: [],
    })
    undo.push(() => removePartition(world, family, partition))
    inner.pin(paths.conn(family, partition))
    outer?.updateInner(u32(partition), inner)
  }
}

function removePartition({ kernel, paths }: World, family: 4 | 6, partition: number): void {
  using outer = kernel.openMap(paths.map(`conn${family}`))
  outer?.delete(u32(partition))
  kernel.fs.remove(paths.conn(family, partition))
}
