/** A model's configuration as the tables of a generation. */
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import {
  makeRows,
  structSize,
  type FieldName,
  type Rows,
  type StructName,
} from '../../../src/engine/abi/struct.ts'
import { mappedLength, parseIp, parsePrefix } from '../../../src/engine/model/ip.ts'
import { backendName, type Configuration, type Endpoint, type World } from '../../support/model.ts'
import type { L4 } from '../../support/packet.ts'

export interface Table {
  readonly type: 'hash' | 'lpm_trie' | 'array'
  /** Keys and values, one after another; an array's keys are 0, 1, … */
  readonly keys: Uint8Array
  readonly values: Uint8Array
  readonly keySize: number
  readonly valueSize: number
}

export type Tables = Readonly<Record<string, Table>>
export type Timeouts = Readonly<Partial<Record<FieldName<'lb_settings'>, number>>>

const PROTOCOLS = { tcp: 6, udp: 17 } as const
const PROTOCOL_NAMES = ['tcp', 'udp'] as const

/** Every backend of a configuration, in the order of its row, which is its row of counters too. */
export function backendRows(configuration: Configuration): readonly (Endpoint & { readonly protocol: L4 })[] {
  const rows = new Map<string, Endpoint & { readonly protocol: L4 }>()
  for (const run of Object.values(configuration.groups)) {
    for (const endpoint of run) {
      for (const protocol of PROTOCOL_NAMES)
        rows.set(backendName(endpoint, protocol), { ...endpoint, protocol })
    }
  }
  return [...rows.values()]
}

function array<S extends StructName>(name: S, { bytes, count }: Rows<S>): Table {
  const valueSize = structSize(name)
  // The kernel has no empty arrays.
  const values = count === 0 ? new Uint8Array(valueSize) : bytes
  return { type: 'array', keys: numbers(values.length / valueSize), values, keySize: 4, valueSize }
}

/** The keys of an array. */
function numbers(count: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: count }, (_, i) => i).buffer)
}

/** Each group twice, for TCP and for UDP: rows are [tcp, udp, tcp, udp, …]. */
function groupRow(configuration: Configuration, name: string, protocol: L4): number {
  return 2 * Object.keys(configuration.groups).indexOf(name) + PROTOCOL_NAMES.indexOf(protocol)
}

function listeners(configuration: Configuration, devices: Readonly<Record<string, number>>): Table {
  const count = configuration.listeners.length
  const keys = makeRows('lb_listener_key', count)
  const values = makeRows('lb_listener', count)
  for (const [row, listener] of configuration.listeners.entries()) {
    keys.slice(row, 'addr').set(parseIp(listener.address)!)
    keys.set(row, 'ifindex', devices[listener.device]!)
    keys.set(row, 'port_be', listener.port)
    keys.set(row, 'proto', PROTOCOLS[listener.protocol])
    values.set(row, 'proxy', row)
    values.set(row, 'group', groupRow(configuration, listener.group, listener.protocol))
    if (listener.routes) values.set(row, 'flags', enums.lb_listener_flag.LB_LISTENER_SOURCE_ROUTES)
  }
  return {
    type: 'hash',
    keys: keys.bytes,
    values: values.bytes,
    keySize: structSize('lb_listener_key'),
    valueSize: structSize('lb_listener'),
  }
}

function routes(configuration: Configuration): Table {
  const all = configuration.listeners.flatMap((listener, proxy) =>
    (listener.routes ?? []).map((route) => ({ ...route, proxy, protocol: listener.protocol })),
  )
  const keys = makeRows('lb_route_key', all.length)
  const values = makeRows('lb_route', all.length)
  for (const [row, { source, group, proxy, protocol }] of all.entries()) {
    const prefix = parsePrefix(source)!
    keys.set(row, 'prefixlen', 32 + mappedLength(prefix.family, prefix.length))
    keys.set(row, 'proxy', proxy)
    keys.slice(row, 'source').set(prefix.bytes)
    values.set(row, 'group', groupRow(configuration, group, protocol))
  }
  return {
    type: 'lpm_trie',
    keys: keys.bytes,
    values: values.bytes,
    keySize: structSize('lb_route_key'),
    valueSize: structSize('lb_route'),
  }
}

function targets(configuration: Configuration): Pick<Tables, 'groups' | 'backends' | 'selection'> {
  const all = backendRows(configuration)
  const rowOf = new Map(all.map((backend, row) => [backendName(backend, backend.protocol), row]))
  const backends = makeRows('lb_backend', all.length)
  for (const [row, { ip, port, protocol }] of all.entries()) {
    backends.slice(row, 'addr').set(parseIp(ip)!)
    backends.set(row, 'port_be', port)
    backends.set(row, 'proto', PROTOCOLS[protocol])
    backends.set(row, 'stats', row)
  }
  const runs = Object.values(configuration.groups)
  const groups = makeRows('lb_group', 2 * runs.length)
  const selection: number[] = []
  for (const [i, run] of runs.entries()) {
    for (const [j, protocol] of PROTOCOL_NAMES.entries()) {
      groups.set(2 * i + j, 'selection', selection.length)
      groups.set(2 * i + j, 'selection_count', run.length)
      selection.push(...run.map((endpoint) => rowOf.get(backendName(endpoint, protocol))!))
    }
  }
  const entries = Uint32Array.from(selection.length === 0 ? [0] : selection)
  const values = new Uint8Array(entries.buffer)
  return {
    groups: array('lb_group', groups),
    backends: array('lb_backend', backends),
    selection: { type: 'array', keys: numbers(entries.length), values, keySize: 4, valueSize: 4 },
  }
}

const MODES = {
  xdp: enums.lb_attach.LB_ATTACH_XDP,
  'xdp-generic': enums.lb_attach.LB_ATTACH_XDP_GENERIC,
  tcx: enums.lb_attach.LB_ATTACH_TCX,
  none: enums.lb_attach.LB_ATTACH_NONE,
} as const

function interfaces(
  { interfaces: known = {} }: Configuration,
  world: World,
  devices: Readonly<Record<string, number>>,
): Table {
  const rows = Object.entries({ ...world.devices, ...known }).flatMap(([name, { attach, xdpXmit }]) =>
    attach === 'absent' ? [] : [{ name, mode: MODES[attach], xdpXmit }],
  )
  const keys = new Uint8Array(Uint32Array.from(rows, ({ name }) => devices[name]!).buffer)
  const values = makeRows('lb_interface', rows.length)
  for (const [row, { name, mode, xdpXmit }] of rows.entries()) {
    values.setText(row, 'name', name)
    values.set(row, 'mode', mode)
    if (xdpXmit) values.set(row, 'flags', enums.lb_interface_flag.LB_INTERFACE_XDP_XMIT)
  }
  return { type: 'hash', keys, values: values.bytes, keySize: 4, valueSize: structSize('lb_interface') }
}

const LONG: Timeouts = {
  tcp_syn_sec: 1000,
  tcp_established_sec: 1000,
  tcp_fin_sec: 1000,
  tcp_time_wait_sec: 1000,
  tcp_reset_sec: 1000,
  udp_oneway_sec: 1000,
  udp_stream_sec: 1000,
}

function settings(timeouts: Timeouts): Table {
  const rows = makeRows('lb_settings', 1)
  for (const [field, seconds] of Object.entries({ ...LONG, ...timeouts })) {
    rows.set(0, field as FieldName<'lb_settings'>, seconds)
  }
  return array('lb_settings', rows)
}

export function makeTables(
  configuration: Configuration,
  world: World,
  devices: Readonly<Record<string, number>>,
  timeouts: Timeouts = {},
): Tables {
  return {
    listeners: listeners(configuration, devices),
    routes: routes(configuration),
    ...targets(configuration),
    interfaces: interfaces(configuration, world, devices),
    settings: settings({ max_connections: configuration.maxConnections ?? 0, ...timeouts }),
  }
}
