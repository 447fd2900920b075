/** The compiled data plane in this process: its programs, generations, connection tables and counters. */
import { BpfMap, writeInners, BpfObject, MAP_FLAGS } from '../../../native/index.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { rowsOver, structSize } from '../../../src/engine/abi/struct.ts'
import type { Tally } from '../../support/model.ts'
import { connectionRows, encodeRow, type ConnectionRow } from './records.ts'
import type { Table, Tables } from './tables.ts'

export interface Options {
  readonly partitions?: number
  /** Halves that each partition has room for. */
  readonly partitionEntries?: number
  /** The programs look at a second set of tables too, as while tables grow; it comes from `retire`. */
  readonly olderTables?: boolean
  readonly sweepCycleMs?: number
  /** Rows of counters. */
  readonly backendCapacity?: number
  /** Families with a connection table. */
  readonly families?: readonly (4 | 6)[]
}

export interface Plane {
  readonly object: BpfObject
  /** Fills a slot, and changes nothing else. */
  fill(slot: number, tables: Tables): void
  activate(slot: number): void
  /** Empties the connection tables and counters. */
  reset(options?: Options): void
  /** The tables become those of the other set; new ones take their place, without a connection. */
  retire(): void
  connections(): ConnectionRow[]
  /** Writes a record anew where it is, as if from outside. */
  change(row: ConnectionRow, changes: Partial<ConnectionRow>): void
  remove(row: ConnectionRow): void
  counters(row: number): Readonly<Tally>
  /** Live connections, as the limit on them sees it. */
  live(): number
  close(): void
}

/** The rows of the second set of tables, in the maps of them. */
const OTHER_SET = enums.lb_limit.LB_CONN_PARTITIONS_MAX

const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

export function loadPlane(path: string, defaults: Options = {}): Plane {
  const { partitions = 4, sweepCycleMs = 2000, backendCapacity = 64 } = defaults
  const object = BpfObject.load(path, {
    maxEntries: { backend_stats: backendCapacity },
    constants: {
      lb_conn_partitions: u32(partitions),
      lb_conn_other_partitions: u32(defaults.olderTables ? partitions : 0),
      lb_sweep_cycle_ms: u32(sweepCycleMs),
    },
  })
  const zeroed = ['reasons', 'backend_stats', 'conn_totals'].map((name) => zeroes(object, name))
  const stats = object.map('backend_stats')
  const totals = object.map('conn_totals')
  const conns = new Map<string, BpfMap>()

  /** Replacing an inner map makes the kernel wait for all CPUs, so tables that fit are only emptied. */
  function reset(options: Options = {}): void {
    const { partitionEntries = 512, families = [4, 6] } = { ...defaults, ...options }
    for (const family of [4, 6] as const) {
      for (let number = 0; number < partitions; number++) {
        const name = `${family}:${number}`
        removePartition(family, number + OTHER_SET)
        if (!families.includes(family)) removePartition(family, number)
        else if (conns.get(name)?.info.maxEntries === partitionEntries) emptyMap(conns.get(name)!)
        else makePartition(family, number, partitionEntries)
      }
    }
    for (const { map, keys, values } of zeroed) map.updateBatch(keys, values)
  }

  function removePartition(family: 4 | 6, number: number): void {
    const name = `${family}:${number}`
    if (!conns.has(name) && number >= OTHER_SET) return
    using outer = object.map(`conn${family}`)
    outer.delete(u32(number))
    conns.get(name)?.close()
    conns.delete(name)
  }

  function retire(): void {
    for (const [name, map] of [...conns]) {
      const [family, number] = [name.startsWith('4') ? 4 : 6, Number(name.slice(2))] as const
      using outer = object.map(`conn${family}`)
      writeInners([{ outer, key: u32(number + OTHER_SET), inner: map }])
      conns.set(`${family}:${number + OTHER_SET}`, map)
      conns.delete(name)
      makePartition(family, number, map.info.maxEntries)
    }
  }

  function makePartition(family: 4 | 6, number: number, maxEntries: number): void {
    conns.get(`${family}:${number}`)?.close()
    const inner = BpfMap.create({
      type: 'hash',
      name: `conn${family}`,
      keySize: structSize(`lb_conn${family}_key`),
      valueSize: structSize(`lb_conn${family}`),
      maxEntries,
    })
    conns.set(`${family}:${number}`, inner)
    using outer = object.map(`conn${family}`)
    writeInners([{ outer, key: u32(number), inner }])
  }

  function partitionOf(row: ConnectionRow): BpfMap {
    const { key } = encodeRow(row)
    const found = [...conns.values()].find((map) => map.info.keySize === key.length && map.lookup(key))
    if (!found) throw new Error('no such record')
    return found
  }

  return {
    object,
    fill(slot, tables) {
      for (const [name, table] of Object.entries(tables)) {
        using outer = object.map(name)
        using inner = createTable(name, table)
        writeInners([{ outer, key: u32(slot), inner }])
      }
    },
    activate(slot) {
      using active = object.map('active')
      active.update(u32(0), u32(slot))
    },
    reset,
    retire,
    connections: () =>
      [...conns].flatMap(([name, map]) => connectionRows(name.startsWith('4') ? 4 : 6, map.readAll())),
    change(row, changes) {
      const { key } = encodeRow(row)
      partitionOf(row).update(key, encodeRow({ ...row, ...changes }).value)
    },
    remove: (row) => void partitionOf(row).delete(encodeRow(row).key),
    counters: (row) => sumCounters(stats, row),
    live: () => rowsOver('lb_conn_totals', totals.lookup(u32(0))!).get(0, 'live'),
    close() {
      for (const map of [...conns.values(), ...zeroed.map(({ map }) => map), stats, totals]) map.close()
      conns.clear()
      object.close()
    },
  }
}

/** An array, with what it takes to make all of it zero. */
function zeroes(
  object: BpfObject,
  name: string,
): { readonly map: BpfMap; readonly keys: Uint8Array; readonly values: Uint8Array } {
  const map = object.map(name)
  const { maxEntries } = map.info
  const keys = new Uint8Array(Uint32Array.from({ length: maxEntries }, (_, i) => i).buffer)
  return { map, keys, values: new Uint8Array(maxEntries * map.valueStride) }
}

export function emptyMap(map: BpfMap): void {
  const { keys, count } = map.readAll()
  if (count > 0) map.deleteBatch(keys)
}

const INNER_FLAGS = {
  hash: 0,
  lpm_trie: MAP_FLAGS.NO_PREALLOC,
  array: MAP_FLAGS.INNER_MAP | MAP_FLAGS.MMAPABLE,
} as const

/** A table of a generation, with room for `maxEntries` at least. */
export function createTable(
  name: string,
  { type, keys, values, keySize, valueSize }: Table,
  room = 1,
): BpfMap {
  const maxEntries = Math.max(room, keys.length / keySize)
  const map = BpfMap.create({ type, name, keySize, valueSize, maxEntries, flags: INNER_FLAGS[type] })
  if (keys.length > 0) map.updateBatch(keys, values)
  return map
}

function sumCounters(stats: BpfMap, row: number): Readonly<Tally> {
  const cpus = rowsOver('lb_backend_stats', stats.lookup(u32(row))!)
  const sum = (field: Parameters<typeof cpus.get>[1]): number =>
    Array.from({ length: cpus.count }, (_, cpu) => cpus.get(cpu, field)).reduce((a, b) => a + b, 0)
  return {
    packetsForward: sum('packets_fwd'),
    bytesForward: sum('bytes_fwd'),
    packetsReverse: sum('packets_rev'),
    bytesReverse: sum('bytes_rev'),
    opened: sum('opened'),
    closed: sum('closed'),
    established: sum('established'),
    refused: sum('refused'),
    timedOut: sum('timed_out'),
    reset: sum('reset'),
    ended: sum('ended'),
    removed: sum('removed'),
  }
}
