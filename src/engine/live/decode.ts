/**
 * From the contents of a generation's tables back to a deployment. What the maps say is what counts:
 * rows that make no sense are left out here, never guessed at, and are named as drift by
 * live/drift.ts, which compares every row. What packets do not need is not in the tables: it is as the
 * apply had it that made them. Total: it does not throw on foreign contents.
 */
import { enums } from '../abi/layout.generated.ts'
import { attachName, protocolName, rolesOf, SETTING_FIELDS, SETTING_KEYS } from '../abi/names.ts'
import { rowsOver } from '../abi/struct.ts'
import type { Rows } from '../abi/struct.ts'
import type { TableImages } from '../abi/tables.ts'
import { formatIp, isMapped } from '../model/ip.ts'
import { compareNames, compareRoutes, compareTargets, compareText } from '../model/order.ts'
import type {
  Attachment,
  AttachMode,
  Deployment,
  Listen,
  PacketSettings,
  Proxy,
  Snapshot,
  SourceRoute,
  Target,
} from '../model/snapshot.ts'
import { daemonSettingsOf, withPolicies } from './policies.ts'

interface Listener {
  readonly listen: Listen
  readonly group: number
}

/** `applied`: what the tables were made from, where that can be told. */
export function decode(tables: TableImages, applied?: Snapshot): Deployment {
  const attachments = decodeAttachments(tables)
  const targetsOf = groupDecoder(tables)
  const listeners = decodeListeners(tables, attachments)
  const routes = decodeRoutes(tables, targetsOf)
  const rows = rowsOver('lb_proxy', tables.proxies.values)
  const proxies: Proxy[] = []
  for (let index = 0; index < rows.count; index++) {
    const name = rows.text(index, 'name')
    if (name === '') continue
    const listener = listeners.get(index)
    proxies.push({
      name,
      listen: listener?.listen ?? { interfaces: [], address: null, port: 0, protocol: 'tcp' },
      forwarding: 'nat',
      defaultTarget: targetsOf(listener?.group ?? rows.get(index, 'group')),
      sourceRoutes: (routes.get(index) ?? []).sort(compareRoutes),
    })
  }
  return {
    snapshot: {
      proxies: withPolicies(proxies.sort(compareNames), applied),
      interfaces: attachments
        .filter(({ roles }) => roles.includes('configured'))
        .map(({ name, attach }) => ({ name, attach })),
      settings: { ...decodeSettings(tables), ...daemonSettingsOf(applied) },
    },
    attachments,
  }
}

function decodeSettings({ settings }: TableImages): PacketSettings {
  const row = rowsOver('lb_settings', settings.values)
  return Object.fromEntries(SETTING_KEYS.map((key) => [key, row.get(0, SETTING_FIELDS[key])])) as {
    [key in keyof PacketSettings]: number
  }
}

function decodeAttachments({ interfaces }: TableImages): Attachment[] {
  const rows = rowsOver('lb_interface', interfaces.values)
  const ifindexes = u32s(interfaces.keys)
  const attachments: Attachment[] = []
  for (let row = 0; row < rows.count; row++) {
    const flags = rows.get(row, 'flags')
    attachments.push({
      name: rows.text(row, 'name'),
      ifindex: ifindexes[row]!,
      attach: attachName(rows.get(row, 'attach')) ?? 'none',
      mode: (attachName(rows.get(row, 'mode')) ?? 'none') as AttachMode,
      roles: rolesOf(flags),
      xdpXmit: (flags & enums.lb_interface_flag.LB_INTERFACE_XDP_XMIT) !== 0,
    })
  }
  return attachments.sort(compareNames)
}

/** 32-bit numbers of a flat buffer, wherever it starts; not to be written to. */
export function u32s(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Uint32Array(buffer, byteOffset, length / 4)
}

function groupDecoder(tables: TableImages): (group: number) => Target[] {
  const groups = rowsOver('lb_group', tables.groups.values)
  const members = rowsOver('lb_member', tables.members.values)
  const backends = rowsOver('lb_backend', tables.backends.values)
  return (group) => {
    if (group >= groups.count) return []
    const first = groups.get(group, 'member')
    const last = Math.min(first + groups.get(group, 'member_count'), members.count)
    const targets: Target[] = []
    for (let row = first; row < last; row++) {
      const backend = members.get(row, 'backend')
      if (backend >= backends.count) continue
      const weight = members.get(row, 'weight')
      targets.push({
        ip: formatIp(backends.slice(backend, 'addr')),
        port: backends.get(backend, 'port_be'),
        weight: weight === 0 ? null : weight,
      })
    }
    return targets.sort(compareTargets)
  }
}

function decodeListeners(
  tables: TableImages,
  attachments: readonly Attachment[],
): ReadonlyMap<number, Listener> {
  const names = new Map(attachments.map(({ ifindex, name }) => [ifindex, name]))
  const keys = rowsOver('lb_listener_key', tables.listeners.keys)
  const values = rowsOver('lb_listener', tables.listeners.values)
  const order = Array.from({ length: keys.count }, (_, row) => ({
    row,
    text: listenerOrder(keys, row),
  })).sort((a, b) => compareText(a.text, b.text))
  const listeners = new Map<number, Listener>()
  for (const { row } of order) {
    const protocol = protocolName(keys.get(row, 'proto'))
    if (!protocol) continue
    const ifindex = keys.get(row, 'ifindex')
    const name = names.get(ifindex) ?? `ifindex-${ifindex}`
    const address = listenAddress(keys.slice(row, 'addr'))
    const port = keys.get(row, 'port_be')
    const proxy = values.get(row, 'proxy')
    const known = listeners.get(proxy)
    if (!known) {
      listeners.set(proxy, {
        listen: { interfaces: [name], address, port, protocol },
        group: values.get(row, 'group'),
      })
    } else if (sameEndpoint(known.listen, { address, port, protocol })) {
      const interfaces = [...known.listen.interfaces, name].sort(compareText)
      listeners.set(proxy, { ...known, listen: { ...known.listen, interfaces } })
    }
  }
  return listeners
}

function listenerOrder(keys: Rows<'lb_listener_key'>, row: number): string {
  return `${keys.slice(row, 'addr').join('.')} ${keys.get(row, 'port_be')} ${keys.get(row, 'proto')}`
}

function sameEndpoint(a: Listen, b: Omit<Listen, 'interfaces'>): boolean {
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol
}

/** `null` for any address of either family. */
function listenAddress(bytes: Uint8Array): string | null {
  const rest = isMapped(bytes) ? bytes.subarray(12) : bytes
  return rest.every((byte) => byte === 0) ? null : formatIp(bytes)
}

function decodeRoutes(
  { routes }: TableImages,
  targetsOf: (group: number) => Target[],
): Map<number, SourceRoute[]> {
  const keys = rowsOver('lb_route_key', routes.keys)
  const values = rowsOver('lb_route', routes.values)
  const byProxy = new Map<number, SourceRoute[]>()
  for (let row = 0; row < keys.count; row++) {
    const source = keys.slice(row, 'source')
    const bits = keys.get(row, 'prefixlen') - 32
    if (bits < 0) continue
    const length = isMapped(source) ? bits - 96 : bits
    const route = {
      source: `${formatIp(source)}/${length}`,
      targets: targetsOf(values.get(row, 'group')),
    }
    const proxy = keys.get(row, 'proxy')
    const list = byProxy.get(proxy)
    if (list) list.push(route)
    else byProxy.set(proxy, [route])
  }
  return byProxy
}
