/** The maps as they are, for `lb show --raw`: every row by the names of its fields, every counter. */
import { describeFields, describeRow } from '../abi/describe.ts'
import { enums } from '../abi/layout.generated.ts'
import { connStateName } from '../abi/names.ts'
import { rowsOver } from '../abi/struct.ts'
import { keyAt, TABLE_NAMES, TABLES, valueAt } from '../abi/tables.ts'
import type { TableImages, TableName } from '../abi/tables.ts'
import type { ConnTotals } from '../model/connections.ts'
import type { LiveState } from '../model/live.ts'
import type { Attributes, Json } from '../model/resource.ts'
import type { KernelPort } from '../ports/kernel.ts'
import type { InstancePaths } from '../model/paths.ts'
import { readBackendCounters, sumWord } from './counters.ts'
import { u32s } from './decode.ts'

export interface RawState {
  readonly formatVersion: 1
  readonly instance: string
  readonly generation: number
  readonly slot: number
  readonly tables: Readonly<Record<string, readonly { key: Json; value: Attributes }[]>>
  /** Packets by reason, those that occurred. */
  readonly reasons: Readonly<Record<string, number>>
  /** Live ones of both families, and how many were evicted, by the state they were in. */
  readonly connections: ConnTotals
  /** Sums over CPUs, by backend. */
  readonly backends: Readonly<Record<string, Attributes>>
  readonly links: readonly Attributes[]
}

export function readRaw(
  kernel: KernelPort,
  paths: InstancePaths,
  live: LiveState,
  images: TableImages | undefined,
): RawState {
  return {
    formatVersion: 1,
    instance: live.instance,
    generation: live.generation,
    slot: live.slot,
    tables: images ? Object.fromEntries(TABLE_NAMES.map((name) => [name, rawTable(name, images)])) : {},
    reasons: readReasons(kernel, paths),
    connections: readConnTotals(kernel, paths),
    backends: readBackends(kernel, paths),
    links: readLinks(kernel, paths),
  }
}

function rawTable(name: TableName, images: TableImages): { key: Json; value: Attributes }[] {
  const spec = TABLES[name]
  return Array.from({ length: images[name].count }, (_, row) => ({
    key: describeKey(name, keyAt(spec, images[name], row)),
    value: describeRow(name, valueAt(spec, images[name], row)),
  }))
}

function describeKey(name: TableName, key: Uint8Array): Json {
  if (name === 'listeners') return describeFields('lb_listener_key', key)
  if (name === 'routes') return describeFields('lb_route_key', key)
  return u32s(key)[0] ?? 0
}

/** The counters that the packet path keeps exactly. */
export function readConnTotals(kernel: KernelPort, paths: InstancePaths): ConnTotals {
  using map = kernel.openMap(paths.map('conn_totals'))
  const value = map?.lookup(new Uint8Array(4))
  if (!value) return { live: 0, evicted: {} }
  const row = rowsOver('lb_conn_totals', value)
  const counts = new BigUint64Array(row.slice(0, 'evicted').slice().buffer)
  const evicted: Record<string, number> = {}
  for (const [name, state] of Object.entries(enums.lb_conn_state)) {
    const count = Number(counts[state] ?? 0n)
    if (count > 0) evicted[connStateName(name)] = count
  }
  return { live: row.get(0, 'live'), evicted }
}

export function readReasons(kernel: KernelPort, paths: InstancePaths): Record<string, number> {
  using map = kernel.openMap(paths.map('reasons'))
  if (!map) return {}
  const names = new Map(Object.entries<number>(enums.lb_reason).map(([name, value]) => [value, name]))
  const { count, keys, values } = map.readAll()
  const words = u32s(values)
  const counted: Record<string, number> = {}
  for (const [row, reason] of u32s(keys).subarray(0, count).entries()) {
    const packets = sumWord(words, { row, width: 1, place: 0 }, kernel.possibleCpus)
    if (packets) counted[names.get(reason) ?? `reason ${reason}`] = packets
  }
  return counted
}

function readBackends(kernel: KernelPort, paths: InstancePaths): Record<string, Attributes> {
  return Object.fromEntries(
    [...readBackendCounters(kernel, paths)].map(([identity, { counters }]) => [identity, { ...counters }]),
  )
}

function readLinks(kernel: KernelPort, paths: InstancePaths): Attributes[] {
  return (kernel.fs.list(paths.linkFolder) ?? []).flatMap((pin) => {
    using link = kernel.openLink(`${paths.linkFolder}/${pin}`)
    return link ? [{ pin, ...link.info }] : []
  })
}
