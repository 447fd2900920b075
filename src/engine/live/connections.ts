/** The connections that the kernel has records of, counted and listed by proxy and target. */
import { identityOf } from '../abi/compile.ts'
import { enums } from '../abi/layout.generated.ts'
import { connStateName, protocolName } from '../abi/names.ts'
import { rowsOver, structSize } from '../abi/struct.ts'
import { bytesKey } from '../abi/tables.ts'
import type { Connection, ConnectionCount, ConnectionReport } from '../model/connections.ts'
import { formatEndpoint, formatIp } from '../model/ip.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { Snapshot } from '../model/snapshot.ts'
import type { Entries, KernelPort } from '../ports/kernel.ts'

/** A family's records, of all its partitions. */
export interface ConnRecords {
  readonly family: 4 | 6
  readonly entries: Entries
}

export interface ConnectionFilter {
  readonly proxy?: string | undefined
  /** `10.0.0.1:8080`, or an address alone. */
  readonly target?: string | undefined
  readonly limit: number
  /** Not those whose records are all that is left of them. */
  readonly open?: boolean
}

const STATES = new Map(
  Object.entries(enums.lb_conn_state).map(([name, state]): [number, string] => [state, connStateName(name)]),
)
const { LB_CONN_REVERSE } = enums.lb_conn_flag
const OVER: ReadonlySet<number> = new Set([
  enums.lb_conn_state.LB_CONN_TIME_WAIT,
  enums.lb_conn_state.LB_CONN_RESET,
])

export function readConnRecords(kernel: KernelPort, paths: InstancePaths): ConnRecords[] {
  return (kernel.fs.list(paths.connFolder) ?? []).flatMap((pin): ConnRecords[] => {
    const family = pin.startsWith('v4-') ? 4 : pin.startsWith('v6-') ? 6 : undefined
    using map = kernel.openMap(`${paths.connFolder}/${pin}`)
    return family && map ? [{ family, entries: map.readAll() }] : []
  })
}

/** One half, taken apart only as far as counting needs. */
interface Half {
  readonly row: number
  readonly proxy: string | null
  readonly target: string
  readonly lastSeen: number
  readonly reader: Reader
}

/** @param now the kernel's coarse clock in units of 2^20 ns, 32 bits */
export function reportConnections(
  records: readonly ConnRecords[],
  snapshot: Snapshot,
  filter: ConnectionFilter,
  now: number,
): ConnectionReport {
  const proxyOf = proxyFinder(snapshot)
  const readers = records.map(makeReader)
  const chosen: Half[] = []
  for (const reader of readers) {
    for (let row = 0; row < reader.count; row++) {
      if (reader.reverse(row)) continue
      if (filter.open && OVER.has(reader.conns.get(row, 'state'))) continue
      const half = readHalf(reader, row, proxyOf)
      if (matches(half, filter)) chosen.push(half)
    }
  }
  const idle = (then: number): number => Math.max(0, (now - then) | 0)
  const recent = [...chosen].sort((a, b) => idle(a.lastSeen) - idle(b.lastSeen)).slice(0, filter.limit)
  const reverse = reverseHalves(readers, recent)
  return {
    total: chosen.length,
    counts: countByTarget(chosen),
    states: countStates(chosen),
    connections: recent.map((half) => describe(half, reverse.get(siblingKey(half)), idle)),
  }
}

/** How many connections that are not over a listener has with a target; of any address, but for some, where it has none. */
export function countByListener(
  records: readonly ConnRecords[],
): (
  listener: { readonly address: string | null; readonly port: number; readonly protocol: string },
  target: string,
  except: readonly (string | null)[],
) => number {
  const counts = new Map<string, Map<string, number>>()
  for (const reader of records.map(makeReader)) {
    for (let row = 0; row < reader.count; row++) {
      if (reader.reverse(row) || OVER.has(reader.conns.get(row, 'state'))) continue
      const { keys } = reader
      const protocol = protocolName(keys.get(row, 'proto')) ?? ''
      const target = formatEndpoint(addressText(reader.nat(row)), reader.conns.get(row, 'nat_port_be'))
      const key = `${keys.get(row, 'dport_be')}/${protocol} ${target}`
      const byAddress = counts.get(key) ?? new Map<string, number>()
      counts.set(key, byAddress)
      const address = addressText(keys.slice(row, 'daddr_be'))
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1)
    }
  }
  return ({ address, port, protocol }, target, except) => {
    const byAddress = counts.get(`${port}/${protocol} ${target}`)
    if (!byAddress) return 0
    if (address !== null) return byAddress.get(address) ?? 0
    return [...byAddress].reduce((sum, [at, count]) => sum + (except.includes(at) ? 0 : count), 0)
  }
}

type Reader = ReturnType<typeof makeReader>

function makeReader({ family, entries }: ConnRecords) {
  const keys = family === 4 ? rowsOver('lb_conn4_key', entries.keys) : rowsOver('lb_conn6_key', entries.keys)
  const values = family === 4 ? rowsOver('lb_conn4', entries.values) : rowsOver('lb_conn6', entries.values)
  const size = structSize('lb_conn')
  const conns = rowsOver('lb_conn', new Uint8Array(values.count * size))
  for (let row = 0; row < values.count; row++) conns.bytes.set(values.slice(row, 'c'), row * size)
  return {
    count: entries.count,
    keys,
    conns,
    reverse: (row: number): boolean => (conns.get(row, 'flags') & LB_CONN_REVERSE) !== 0,
    nat: (row: number): Uint8Array => values.slice(row, 'nat_addr_be').subarray(0, family === 4 ? 4 : 16),
  }
}

/** The text of a family's address as records hold it: 4 or 16 bytes. */
function addressText(bytes: Uint8Array): string {
  if (bytes.length === 16) return formatIp(bytes)
  return bytes.join('.')
}

function readHalf(reader: Reader, row: number, proxyOf: ProxyFinder): Half {
  const { keys, conns } = reader
  return {
    row,
    reader,
    proxy: proxyOf(
      addressText(keys.slice(row, 'daddr_be')),
      keys.get(row, 'dport_be'),
      protocolName(keys.get(row, 'proto')) ?? '',
    ),
    target: formatEndpoint(addressText(reader.nat(row)), conns.get(row, 'nat_port_be')),
    lastSeen: conns.get(row, 'last_seen'),
  }
}

function matches(half: Half, { proxy, target }: ConnectionFilter): boolean {
  if (proxy !== undefined && half.proxy !== proxy) return false
  if (target === undefined || half.target === target) return true
  return addressText(half.reader.nat(half.row)) === target
}

type ProxyFinder = (address: string, port: number, protocol: string) => string | null

/** By the listener on the address, or else the one on any address of the family. */
function proxyFinder({ proxies }: Snapshot): ProxyFinder {
  const names = new Map<string, string>()
  for (const { name, listen, defaultTarget } of proxies) {
    const any = defaultTarget[0]?.ip.includes(':') ? '::' : '0.0.0.0'
    const key = identityOf(listen.address ?? any, listen.port, listen.protocol)
    if (!names.has(key)) names.set(key, name)
  }
  return (address, port, protocol) =>
    names.get(`${formatEndpoint(address, port)}/${protocol}`) ??
    names.get(`${formatEndpoint(address.includes(':') ? '::' : '0.0.0.0', port)}/${protocol}`) ??
    null
}

/** Addresses, ports and protocol of the packets that come back. */
function siblingKey({ reader, row }: Half): string {
  const { keys, conns } = reader
  const ports = `${conns.get(row, 'nat_port_be')} ${keys.get(row, 'sport_be')} ${keys.get(row, 'proto')}`
  return `${bytesKey(reader.nat(row))}${bytesKey(keys.slice(row, 'saddr_be'))}${ports}`
}

function reverseHalves(readers: readonly Reader[], wanted: readonly Half[]): Map<string, [Reader, number]> {
  const keysWanted = new Set(wanted.map(siblingKey))
  const found = new Map<string, [Reader, number]>()
  for (const reader of wanted.length === 0 ? [] : readers) {
    const { keys } = reader
    for (let row = 0; row < reader.count; row++) {
      if (!reader.reverse(row)) continue
      const ports = `${keys.get(row, 'sport_be')} ${keys.get(row, 'dport_be')} ${keys.get(row, 'proto')}`
      const key = `${bytesKey(keys.slice(row, 'saddr_be'))}${bytesKey(keys.slice(row, 'daddr_be'))}${ports}`
      if (keysWanted.has(key)) found.set(key, [reader, row])
    }
  }
  return found
}

function describe(
  half: Half,
  other: [Reader, number] | undefined,
  idle: (then: number) => number,
): Connection {
  const { reader, row, proxy, target, lastSeen } = half
  const { keys, conns } = reader
  const back = (field: 'packets' | 'bytes' | 'last_seen'): number | undefined =>
    other?.[0].conns.get(other[1], field)
  const units = Math.min(idle(lastSeen), idle(back('last_seen') ?? lastSeen))
  return {
    proxy,
    protocol: protocolName(keys.get(row, 'proto')) ?? String(keys.get(row, 'proto')),
    state: STATES.get(conns.get(row, 'state')) ?? String(conns.get(row, 'state')),
    idleSec: Math.round((units * 2 ** 20) / 1e8) / 10,
    client: formatEndpoint(addressText(keys.slice(row, 'saddr_be')), keys.get(row, 'sport_be')),
    listener: formatEndpoint(addressText(keys.slice(row, 'daddr_be')), keys.get(row, 'dport_be')),
    target,
    packetsForward: conns.get(row, 'packets'),
    bytesForward: conns.get(row, 'bytes'),
    packetsReverse: back('packets') ?? 0,
    bytesReverse: back('bytes') ?? 0,
  }
}

function countByTarget(halves: readonly Half[]): ConnectionCount[] {
  const counts = new Map<string, { proxy: string | null; target: string; connections: number }>()
  for (const { proxy, target } of halves) {
    const key = `${proxy ?? ''} ${target}`
    const known = counts.get(key)
    if (known) known.connections++
    else counts.set(key, { proxy, target, connections: 1 })
  }
  return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count)
}

function countStates(halves: readonly Half[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { reader, row } of halves) {
    const state = STATES.get(reader.conns.get(row, 'state')) ?? 'unknown'
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}
