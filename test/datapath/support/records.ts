/** Records of conn4 and conn6 as data. */
import type { Entries } from '../../../native/index.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { makeRows, rowsOver } from '../../../src/engine/abi/struct.ts'
import { formatIp, parseIp } from '../../../src/engine/model/ip.ts'
import type { ConnState } from '../../support/model-tcp.ts'
import type { Endpoint } from '../../support/model.ts'

/** One half of a connection. */
export interface ConnectionRow {
  readonly family: 4 | 6
  readonly protocol: number
  readonly source: Endpoint
  readonly destination: Endpoint
  /** What its packets are given: the backend for a forward half, the listener for a reverse one. */
  readonly nat: Endpoint
  readonly reverse: boolean
  readonly state: ConnState
  readonly packets: number
  readonly bytes: number
  readonly lastSeen: number
  readonly stats: number
}

const STATES = new Map(
  Object.entries(enums.lb_conn_state).map(([name, value]) => [value as number, name.slice(8) as ConnState]),
)
const STATE_NUMBERS = new Map([...STATES].map(([value, name]) => [name, value]))
const REVERSE = enums.lb_conn_flag.LB_CONN_REVERSE

function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes
  const full = parseIp('0.0.0.0')!.slice()
  full.set(bytes, 12)
  return full
}

export function connectionRows(
  family: 4 | 6,
  { keys: keyBytes, values: valueBytes, count }: Entries,
): ConnectionRow[] {
  const keys = family === 4 ? rowsOver('lb_conn4_key', keyBytes) : rowsOver('lb_conn6_key', keyBytes)
  const values = family === 4 ? rowsOver('lb_conn4', valueBytes) : rowsOver('lb_conn6', valueBytes)
  return Array.from({ length: count }, (_, row) => {
    const shared = rowsOver('lb_conn', values.slice(row, 'c'))
    return {
      family,
      protocol: keys.get(row, 'proto'),
      source: { ip: formatIp(mapped(keys.slice(row, 'saddr_be'))), port: keys.get(row, 'sport_be') },
      destination: { ip: formatIp(mapped(keys.slice(row, 'daddr_be'))), port: keys.get(row, 'dport_be') },
      nat: { ip: formatIp(mapped(values.slice(row, 'nat_addr_be'))), port: shared.get(0, 'nat_port_be') },
      reverse: (shared.get(0, 'flags') & REVERSE) !== 0,
      state: STATES.get(shared.get(0, 'state'))!,
      packets: shared.get(0, 'packets'),
      bytes: shared.get(0, 'bytes'),
      lastSeen: shared.get(0, 'last_seen'),
      stats: shared.get(0, 'stats'),
    }
  })
}

/** Key and value of a record, to write or to delete it by. */
export function encodeRow(row: ConnectionRow): { readonly key: Uint8Array; readonly value: Uint8Array } {
  const keys = row.family === 4 ? makeRows('lb_conn4_key', 1) : makeRows('lb_conn6_key', 1)
  const values = row.family === 4 ? makeRows('lb_conn4', 1) : makeRows('lb_conn6', 1)
  const address = (ip: string): Uint8Array => (row.family === 4 ? parseIp(ip)!.subarray(12) : parseIp(ip)!)
  keys.slice(0, 'saddr_be').set(address(row.source.ip))
  keys.slice(0, 'daddr_be').set(address(row.destination.ip))
  keys.set(0, 'sport_be', row.source.port)
  keys.set(0, 'dport_be', row.destination.port)
  keys.set(0, 'proto', row.protocol)
  values.slice(0, 'nat_addr_be').set(address(row.nat.ip))
  const shared = rowsOver('lb_conn', values.slice(0, 'c'))
  shared.set(0, 'packets', row.packets)
  shared.set(0, 'bytes', row.bytes)
  shared.set(0, 'last_seen', row.lastSeen)
  shared.set(0, 'stats', row.stats)
  shared.set(0, 'nat_port_be', row.nat.port)
  shared.set(0, 'state', STATE_NUMBERS.get(row.state)!)
  shared.set(0, 'flags', row.reverse ? REVERSE : 0)
  return { key: keys.bytes, value: values.bytes }
}
