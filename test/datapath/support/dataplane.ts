/** The compiled data plane, loaded for tests: configured from a model's configuration, run on frames. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BpfMap, BpfObject, MAP_FLAGS } from '../../../native/index.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { rowsOver, structSize } from '../../../src/engine/abi/struct.ts'
import { isStale, testNames } from '../../support/lab/names.ts'
import { root } from '../../support/lab/run.ts'
import type { Observed } from '../../support/model-compare.ts'
import type { Configuration, Hook, Tally, Verdict } from '../../support/model.ts'
import { u32 } from '../../support/native.ts'
import { createNetwork, world } from './network.ts'
import { connectionRows, encodeRow, type ConnectionRow } from './records.ts'
import { startRunner, type Frame, type Ran, type Runner } from './runner.ts'
import { makeTables, type Table, type Tables, type Timeouts } from './tables.ts'

export const OBJECT = join(root, 'build/bpf/lb.bpf.o')
const BPFFS = '/sys/fs/bpf'
const PROGRAMS = { xdp: 'lb_xdp', ingress: 'lb_tc_ingress', egress: 'lb_tc_egress' } as const
export const SLOT_NONE = enums.lb_limit.LB_SLOT_NONE

const REASONS = new Map(Object.entries(enums.lb_reason).map(([name, row]) => [row as number, name]))
/* XDP_* and TC_ACT_* of <linux/bpf.h> and <linux/pkt_cls.h>. */
const VERDICTS: Readonly<Record<'xdp' | 'tc', Readonly<Record<number, Verdict>>>> = {
  xdp: { 1: 'drop', 2: 'pass', 4: 'redirect' },
  tc: { [-1]: 'pass', 2: 'drop', 7: 'redirect' },
}

export interface Options {
  readonly partitions?: number
  /** Halves that each partition has room for. */
  readonly partitionEntries?: number
  readonly sweepCycleMs?: number
  /** How many there are in `runners`. */
  readonly processes?: number
  /** Families with a connection table. */
  readonly families?: readonly (4 | 6)[]
}

export interface BackendCounters extends Tally {
  readonly packetsForward: number
  readonly bytesForward: number
  readonly packetsReverse: number
  readonly bytesReverse: number
}

export interface Dataplane {
  readonly object: BpfObject
  readonly devices: Readonly<Record<string, number>>
  /** Puts a configuration into a slot and makes it active; no connections, all counters zero. */
  configure(configuration: Configuration, timeouts?: Timeouts): void
  /** Fills a slot, and changes nothing else. */
  fill(slot: number, tables: Tables): void
  activate(slot: number): void
  /** Empties the connection tables and counters. */
  reset(options?: Options): void
  run(hook: Hook, frames: readonly Frame[]): Promise<readonly Observed[]>
  /** The processes that run programs; `run` uses the first. */
  readonly runners: readonly Runner[]
  /** Folder in bpffs for what they are to run. */
  readonly pins: string
  connections(): ConnectionRow[]
  /** Writes a record anew where it is, as if from outside. */
  change(row: ConnectionRow, changes: Partial<ConnectionRow>): void
  remove(row: ConnectionRow): void
  counters(row: number): BackendCounters
  close(): Promise<void>
}

/** What has to be undone, last thing first. */
type Cleanup = (() => unknown)[]

async function undo(cleanup: Cleanup): Promise<void> {
  for (const step of cleanup.splice(0).reverse()) await step()
}

/** `idleObject`: what `startRunner` takes. */
export async function createDataplane(idleObject: string, options: Options = {}): Promise<Dataplane> {
  const cleanup: Cleanup = []
  try {
    return await build(cleanup, idleObject, options)
  } catch (error) {
    await undo(cleanup)
    throw error
  }
}

async function build(cleanup: Cleanup, idleObject: string, defaults: Options): Promise<Dataplane> {
  const { partitions = 4, sweepCycleMs = 2000 } = defaults
  const network = await createNetwork()
  cleanup.push(() => network.remove())
  const runner = await startRunner(network.namespace, idleObject)
  cleanup.push(() => runner.close())
  const others: Runner[] = []
  for (let i = 1; i < (defaults.processes ?? 1); i++) {
    const other = await startRunner(network.namespace)
    others.push(other)
    cleanup.push(() => other.close())
  }
  const object = BpfObject.load(OBJECT, {
    maxEntries: { backend_stats: 64 },
    constants: { lb_conn_partitions: u32(partitions), lb_sweep_cycle_ms: u32(sweepCycleMs) },
  })
  cleanup.push(() => object.close())
  const keep = (map: BpfMap): BpfMap => {
    cleanup.push(() => map.close())
    return map
  }
  const pins = join(BPFFS, `lb-${testNames().instance}`)
  removeStalePins()
  mkdirSync(pins)
  cleanup.push(() => rmSync(pins, { recursive: true, force: true }))
  const reasons = keep(object.map('reasons'))
  reasons.pin(`${pins}/reasons`)
  for (const name of Object.values(PROGRAMS)) {
    using program = object.program(name)
    program.pin(`${pins}/${name}`)
  }
  const stats = keep(object.map('backend_stats'))
  const totals = keep(object.map('conn_totals'))
  const conns = new Map<string, BpfMap>()
  cleanup.push(() => closeAll(conns))

  /** Replacing an inner map makes the kernel wait for all CPUs, so tables that fit are only emptied. */
  function reset(options: Options = {}): void {
    const { partitionEntries = 512, families = [4, 6] } = { ...defaults, ...options }
    for (const family of [4, 6] as const) {
      for (let number = 0; number < partitions; number++) {
        const name = `${family}:${number}`
        if (!families.includes(family)) removePartition(family, number)
        else if (conns.get(name)?.info.maxEntries === partitionEntries) empty(conns.get(name)!)
        else makePartition(family, number, partitionEntries)
      }
    }
    for (const map of [reasons, stats, totals]) {
      const { keys, values } = map.readAll()
      map.updateBatch(keys, new Uint8Array(values.length))
    }
  }

  function removePartition(family: 4 | 6, number: number): void {
    using outer = object.map(`conn${family}`)
    outer.delete(u32(number))
    conns.get(`${family}:${number}`)?.close()
    conns.delete(`${family}:${number}`)
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
    outer.updateInner(u32(number), inner)
  }

  function partitionOf(row: ConnectionRow): BpfMap {
    const { key } = encodeRow(row)
    const found = [...conns.values()].find((map) => map.info.keySize === key.length && map.lookup(key))
    if (!found) throw new Error('no such record')
    return found
  }

  function fill(slot: number, tables: Tables): void {
    for (const [name, table] of Object.entries(tables)) {
      using outer = object.map(name)
      using inner = createTable(name, table)
      outer.updateInner(u32(slot), inner)
    }
  }

  function activate(slot: number): void {
    using active = object.map('active')
    active.update(u32(0), u32(slot))
  }

  return {
    object,
    devices: runner.devices,
    fill,
    activate,
    reset,
    configure(configuration, timeouts) {
      reset()
      fill(0, makeTables(configuration, world, runner.devices, timeouts))
      activate(0)
    },
    async run(hook, frames) {
      const program = `${pins}/${PROGRAMS[hook]}`
      const ran = await runner.run({ program, reasons: `${pins}/reasons`, frames })
      return ran.map((one) => observed(hook, one))
    },
    runners: [runner, ...others],
    pins,
    connections: () =>
      [...conns].flatMap(([name, map]) => connectionRows(name.startsWith('4') ? 4 : 6, map.readAll())),
    change(row, changes) {
      const { key } = encodeRow(row)
      partitionOf(row).update(key, encodeRow({ ...row, ...changes }).value)
    },
    remove: (row) => void partitionOf(row).delete(encodeRow(row).key),
    counters: (row) => sumCounters(stats, row),
    close: () => undo(cleanup),
  }
}

function closeAll(maps: Map<string, BpfMap>): void {
  for (const map of maps.values()) map.close()
  maps.clear()
}

function empty(map: BpfMap): void {
  const { keys, count } = map.readAll()
  if (count > 0) map.deleteBatch(keys)
}

/** Removes what tests left behind whose process was killed. */
function removeStalePins(): void {
  for (const name of readdirSync(BPFFS)) {
    if (name.startsWith('lb-') && isStale(name.slice(3)))
      rmSync(join(BPFFS, name), { recursive: true, force: true })
  }
}

const INNER_FLAGS = {
  hash: 0,
  lpm_trie: MAP_FLAGS.NO_PREALLOC,
  array: MAP_FLAGS.INNER_MAP | MAP_FLAGS.MMAPABLE,
} as const

function createTable(name: string, { type, keys, values, keySize, valueSize }: Table): BpfMap {
  const maxEntries = Math.max(1, keys.length / keySize)
  const map = BpfMap.create({ type, name, keySize, valueSize, maxEntries, flags: INNER_FLAGS[type] })
  if (keys.length > 0) map.updateBatch(keys, values)
  return map
}

function observed(hook: Hook, { retval, data, counted }: Ran): Observed {
  const verdict = VERDICTS[hook === 'xdp' ? 'xdp' : 'tc'][retval]
  if (!verdict) throw new Error(`${hook} returned ${retval}`)
  // Exactly one reason for each packet: several names joined match no single one.
  return { verdict, reason: counted.map((row) => REASONS.get(row) ?? `${row}`).join('+'), data }
}

function sumCounters(stats: BpfMap, row: number): BackendCounters {
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
  }
}
