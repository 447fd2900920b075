/**
 * Two generations, A and B, that differ in every table that packets meet, so that each way of mixing the
 * tables of one with those of the other leads a new connection somewhere else: what each table
 * says depends on how the packet came to it, and the port of the backend at the end tells the whole way.
 */
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { makeRows, structSize, type Rows, type StructName } from '../../../src/engine/abi/struct.ts'
import { mappedLength, parseIp, parsePrefix } from '../../../src/engine/model/ip.ts'
import type { Endpoint } from '../../support/model.ts'
import { u32 } from '../../support/native.ts'
import type { Table } from '../support/tables.ts'

export const TABLES = [
  'listeners',
  'routes',
  'groups',
  'settings',
  'selection',
  'backends',
  'interfaces',
] as const
export type TableName = (typeof TABLES)[number]

/** A or B. In the numbers of rows 0 or 1. */
export type Generation = 'A' | 'B'
export const GENERATIONS: readonly Generation[] = ['A', 'B']
const bit = (generation: Generation): number => GENERATIONS.indexOf(generation)

export type Family = 4 | 6
export const FAMILIES: readonly Family[] = [4, 6]

export const VIP = { 4: '203.0.113.10', 6: '2001:db8::10' } as const
/** Clients there have a source route. */
export const ROUTED = { 4: '100.65.0.7', 6: 'fd65::7' } as const
/** Clients there have a source route that A leads to a group without targets, and B to that of the others. */
export const REFUSED = { 4: '100.66.0.7', 6: 'fd66::7' } as const
/** Both generations listen on the first, one of them on each of the others. */
export const PORTS = { both: 80, A: 81, B: 82 } as const
/** Of connections. From three quarters of it on, it is near. */
export const LIMITS = { A: 1000, B: 2000 } as const

/** Entries in the run of each group: there is something to choose. */
const RUN = 4
const FIRST_PORT = 20_000

/* Numbers of rows: two for each row of the table before, one for either generation. */
const proxyRow = (family: Family, listeners: number): number => (family === 4 ? 0 : 2) + listeners
const routedRow = (proxy: number, routes: number): number => 4 + 2 * proxy + routes
const refusedRow = (family: Family): number => (family === 4 ? 12 : 13)
const GROUPS = 14
const runRow = (group: number, groups: number): number => 2 * group + groups
const backendRow = (run: number, selection: number, entry: number): number =>
  RUN * (2 * run + selection) + entry

function familyOfGroup(group: number): Family {
  const proxy = group < 4 ? group : (group - 4) >> 1
  return (group < 12 ? proxy < 2 : group === 12) ? 4 : 6
}

function backendAt(row: number, backends: number): Endpoint {
  const code = 2 * row + backends
  const host = 2 + (code % 8)
  const family = familyOfGroup(Math.floor(row / RUN) >> 2)
  return { ip: family === 4 ? `10.2.0.${host}` : `fd02::${host}`, port: FIRST_PORT + code }
}

export type Route = 'default' | 'routed' | 'refused'

/** Those that the tables of one generation may choose; none for a group without targets. */
export function backendsOf(generation: Generation, family: Family, route: Route): Endpoint[] {
  if (generation === 'A' && route === 'refused') return []
  const g = bit(generation)
  const proxy = proxyRow(family, g)
  const run = runRow(route === 'default' ? proxy : routedRow(proxy, g), g)
  return Array.from({ length: RUN }, (_, entry) => backendAt(backendRow(run, g, entry), g))
}

/** The way that leads to a backend: `10.2.0.2 20016: listeners of A, groups of B, …`. */
export function wayTo({ ip, port }: Endpoint): string | undefined {
  if (port < FIRST_PORT) return undefined
  const code = port - FIRST_PORT
  const choice = Math.floor(code / 2 / RUN)
  const group = choice >> 2
  const seen: readonly (readonly [TableName, number])[] = [
    ...(group < 4 ? ([['listeners', group & 1]] as const) : []),
    ...(group >= 4 && group < 12 ? ([['listeners', (group >> 1) & 1]] as const) : []),
    ...(group >= 4 ? ([['routes', group < 12 ? group & 1 : 0]] as const) : []),
    ['groups', (choice >> 1) & 1],
    ['selection', choice & 1],
    ['backends', code & 1],
  ]
  return `${ip} ${port} (${seen.map(([table, g]) => `${table} of ${GENERATIONS[g]!}`).join(', ')})`
}

function array<S extends StructName>(name: S, { bytes, count }: Rows<S>): Table {
  return { type: 'array', keys: numbers(count), values: bytes, keySize: 4, valueSize: structSize(name) }
}

const numbers = (count: number): Uint8Array => u32(...Array.from({ length: count }, (_, i) => i))

/** A listens on the address, B on any. */
function listeners(generation: Generation, client: number): Table {
  const all = FAMILIES.flatMap((family) =>
    ([6, 17] as const).flatMap((proto) =>
      [PORTS.both, PORTS[generation]].map((port) => ({ family, proto, port })),
    ),
  )
  const keys = makeRows('lb_listener_key', all.length)
  const values = makeRows('lb_listener', all.length)
  for (const [row, { family, proto, port }] of all.entries()) {
    const any = family === 4 ? '0.0.0.0' : '::'
    keys.put(row, 'addr', parseIp(generation === 'A' ? VIP[family] : any)!)
    keys.set(row, 'ifindex', client)
    keys.set(row, 'port_be', port)
    keys.set(row, 'proto', proto)
    const proxy = proxyRow(family, bit(generation))
    values.set(row, 'proxy', proxy)
    values.set(row, 'group', proxy)
    values.set(row, 'flags', enums.lb_listener_flag.LB_LISTENER_SOURCE_ROUTES)
  }
  return {
    type: 'hash',
    keys: keys.bytes,
    values: values.bytes,
    keySize: structSize('lb_listener_key'),
    valueSize: structSize('lb_listener'),
  }
}

/** Each proxy has the routes of both generations' ones, with longer prefixes in B. */
function routes(generation: Generation): Table {
  const g = bit(generation)
  const length = { 4: 16 + 8 * g, 6: 16 + 48 * g } as const
  const all = FAMILIES.flatMap((family) =>
    [0, 1].flatMap((l) => {
      const proxy = proxyRow(family, l)
      const refused = generation === 'A' ? refusedRow(family) : routedRow(proxy, g)
      return [
        { proxy, source: `${ROUTED[family]}/${length[family]}`, group: routedRow(proxy, g) },
        { proxy, source: `${REFUSED[family]}/${length[family]}`, group: refused },
      ]
    }),
  )
  const keys = makeRows('lb_route_key', all.length)
  const values = makeRows('lb_route', all.length)
  for (const [row, { proxy, source, group }] of all.entries()) {
    const prefix = parsePrefix(source)!
    keys.set(row, 'prefixlen', 32 + mappedLength(prefix.family, prefix.length))
    keys.set(row, 'proxy', proxy)
    keys.put(row, 'source', prefix.bytes)
    values.set(row, 'group', group)
  }
  return {
    type: 'lpm_trie',
    keys: keys.bytes,
    values: values.bytes,
    keySize: structSize('lb_route_key'),
    valueSize: structSize('lb_route'),
  }
}

function groups(generation: Generation): Table {
  const rows = makeRows('lb_group', GROUPS)
  for (let row = 0; row < GROUPS; row++) {
    const empty = generation === 'A' && row >= 12
    rows.set(row, 'selection', RUN * runRow(row, bit(generation)))
    rows.set(row, 'selection_count', empty ? 0 : RUN)
  }
  return array('lb_group', rows)
}

function selection(generation: Generation): Table {
  const runs = Array.from({ length: 2 * GROUPS }, (_, run) => run)
  const rows = runs.flatMap((run) => [0, 1, 2, 3].map((entry) => backendRow(run, bit(generation), entry)))
  return { type: 'array', keys: numbers(rows.length), values: u32(...rows), keySize: 4, valueSize: 4 }
}

/** Each is counted in the row of its generation. */
function backends(generation: Generation): Table {
  const count = 4 * GROUPS * RUN
  const rows = makeRows('lb_backend', count)
  for (let row = 0; row < count; row++) {
    const { ip, port } = backendAt(row, bit(generation))
    rows.put(row, 'addr', parseIp(ip)!)
    rows.set(row, 'port_be', port)
    rows.set(row, 'proto', 6)
    rows.set(row, 'stats', bit(generation))
  }
  return array('lb_backend', rows)
}

function settings(generation: Generation): Table {
  const rows = makeRows('lb_settings', 1)
  rows.set(0, 'max_connections', LIMITS[generation])
  for (const field of ['tcp_syn_sec', 'tcp_established_sec', 'udp_oneway_sec', 'udp_stream_sec'] as const) {
    rows.set(0, field, 1000 + bit(generation))
  }
  return array('lb_settings', rows)
}

/**
 * XDP can send through `server0` in A only. Where it cannot, a reply is left to the program at egress
 * in B, as is one without a way to the client in A.
 */
function interfaces(generation: Generation, devices: Readonly<Record<string, number>>): Table {
  const { LB_ATTACH_TCX: some, LB_ATTACH_NONE: none } = enums.lb_attach
  const rows = makeRows('lb_interface', 2)
  for (const [row, name] of ['client0', 'server0'].entries()) {
    rows.setText(row, 'name', name)
    rows.set(row, 'mode', (row === 0) === (generation === 'A') ? some : none)
    if (generation === 'A') rows.set(row, 'flags', enums.lb_interface_flag.LB_INTERFACE_XDP_XMIT)
  }
  const keys = u32(devices['client0']!, devices['server0']!)
  return { type: 'hash', keys, values: rows.bytes, keySize: 4, valueSize: structSize('lb_interface') }
}

/** One table of a generation. */
export function tableOf(
  name: TableName,
  generation: Generation,
  devices: Readonly<Record<string, number>>,
): Table {
  switch (name) {
    case 'listeners':
      return listeners(generation, devices['client0']!)
    case 'routes':
      return routes(generation)
    case 'groups':
      return groups(generation)
    case 'settings':
      return settings(generation)
    case 'selection':
      return selection(generation)
    case 'backends':
      return backends(generation)
    case 'interfaces':
      return interfaces(generation, devices)
  }
}
