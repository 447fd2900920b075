/** Rows of the map `removed`: connections that are to end because their target was removed. */
import { formatIp, isMapped } from '../model/ip.ts'
import type { Removal } from '../model/removal.ts'
import { addressBytes } from './numbering.ts'
import { protocolName, protocolNumber } from './names.ts'
import { makeRows, rowsOver, structSize } from './struct.ts'

export const REMOVED_KEY_SIZE = structSize('lb_removed_key')
export const REMOVED_SIZE = structSize('lb_removed')

export interface RemovedRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export function encodeRemoval(slot: number, removal: Removal): RemovedRow {
  const { listener, ip, port, row, deadline, proxy } = removal
  const key = makeRows('lb_removed_key', 1)
  key.put(0, 'listener', addressBytes(listener.address ?? (ip.includes(':') ? '::' : '0.0.0.0')))
  key.set(0, 'stats', row)
  key.set(0, 'port_be', listener.port)
  key.set(0, 'proto', protocolNumber(listener.protocol))
  key.set(0, 'slot', slot)
  const value = makeRows('lb_removed', 1)
  value.set(0, 'deadline', deadline ?? 0)
  value.put(0, 'addr', addressBytes(ip))
  value.set(0, 'port_be', port)
  value.setText(0, 'proxy', proxy)
  return { key: key.bytes, value: value.bytes }
}

/** The row that says between when there is anything to do for the others of its generation. */
export function encodeWindow(slot: number, deadline: number, end: number): RemovedRow {
  const key = makeRows('lb_removed_key', 1)
  key.set(0, 'slot', slot)
  const value = makeRows('lb_removed', 1)
  value.set(0, 'deadline', deadline)
  value.set(0, 'end', end)
  return { key: key.bytes, value: value.bytes }
}

export const slotOfRow = (key: Uint8Array): number => rowsOver('lb_removed_key', key).get(0, 'slot')
export const countersOfRow = (key: Uint8Array): number => rowsOver('lb_removed_key', key).get(0, 'stats')

/** `undefined` for the row that stands for all, and for what is none. */
export function decodeRemoval(key: Uint8Array, value: Uint8Array): Removal | undefined {
  const keys = rowsOver('lb_removed_key', key)
  const values = rowsOver('lb_removed', value)
  const protocol = protocolName(keys.get(0, 'proto'))
  if (!protocol) return undefined
  const listener = keys.slice(0, 'listener')
  const rest = isMapped(listener) ? listener.subarray(12) : listener
  const deadline = values.get(0, 'deadline')
  return {
    proxy: values.text(0, 'proxy'),
    listener: {
      address: rest.every((byte) => byte === 0) ? null : formatIp(listener),
      port: keys.get(0, 'port_be'),
      protocol,
    },
    ip: formatIp(values.slice(0, 'addr')),
    port: values.get(0, 'port_be'),
    row: keys.get(0, 'stats'),
    deadline: deadline === 0 ? null : deadline,
  }
}
