/** A row of a table as attributes to show: every field that means something, by its name in abi.h. */
import { formatIp } from '../model/ip.ts'
import type { Attributes, Json } from '../model/resource.ts'
import { structs } from './layout.generated.ts'
import type { StructName } from './struct.ts'
import { rowsOver } from './struct.ts'
import type { TableName } from './tables.ts'

const ROW_STRUCT = {
  listeners: 'lb_listener',
  routes: 'lb_route',
  groups: 'lb_group',
  backends: 'lb_backend',
  members: 'lb_member',
  proxies: 'lb_proxy',
  interfaces: 'lb_interface',
  settings: 'lb_settings',
} as const satisfies Partial<Record<TableName, StructName>>

export function describeRow(table: TableName, value: Uint8Array): Attributes {
  if (table === 'selection') {
    return { backend: new DataView(value.buffer, value.byteOffset).getUint32(0, true) }
  }
  return describeFields(ROW_STRUCT[table], value)
}

/** Field by field; padding and reserved room only where it is not zero. */
export function describeFields(name: StructName, value: Uint8Array): Attributes {
  const rows = rowsOver(name, value)
  const attributes: Record<string, Json> = {}
  const fields: Readonly<Record<string, { readonly offset: number; readonly size: number }>> =
    structs[name].fields
  for (const [field, { offset, size }] of Object.entries(fields)) {
    const bytes = value.subarray(offset, offset + size)
    const spare = field.startsWith('reserved') || field.startsWith('pad')
    if (spare && bytes.every((byte) => byte === 0)) continue
    if (field === 'name') attributes[field] = rows.text(0, field as never)
    else if (field === 'addr' || field === 'source') attributes[field] = formatIp(bytes)
    else if (size <= 8 && !spare) attributes[field.replace(/_be$/, '')] = rows.get(0, field as never)
    else attributes[field] = hex(bytes)
  }
  return attributes
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
