/** From a deployment to the contents of a generation's tables: a pure function, the same bytes each time. */
import { LbError } from '../model/errors.ts'
import { mappedLength, parsePrefix } from '../model/ip.ts'
import type { Attachment, Deployment, Proxy, Settings } from '../model/snapshot.ts'
import { enums } from './layout.generated.ts'
import { attachNumber, protocolNumber, roleFlags, SETTING_FIELDS, SETTING_KEYS } from './names.ts'
import { addressBytes, identityOf, numberDeployment } from './numbering.ts'
import type { Numbering } from './numbering.ts'
import { configuredSelection } from './selection.ts'
import { makeRows } from './struct.ts'
import { arrayImage, TABLES } from './tables.ts'
import type { TableImages } from './tables.ts'

/** Which row of `backend_stats` each backend has, in the order of their numbers. */
export type CounterRows = readonly number[]

export { addressBytes, identityOf, numberDeployment } from './numbering.ts'
export type { Backend, Numbering } from './numbering.ts'

export function compile(deployment: Deployment, counters: CounterRows): TableImages {
  const numbering = numberDeployment(deployment)
  const { snapshot, attachments } = deployment
  return {
    ...compileGroups(numbering),
    listeners: compileListeners(snapshot.proxies, numbering, attachments),
    routes: compileRoutes(snapshot.proxies, numbering),
    backends: compileBackends(numbering, counters),
    proxies: compileProxies(snapshot.proxies, numbering),
    interfaces: compileInterfaces(attachments),
    settings: compileSettings(snapshot.settings),
  }
}

function compileListeners(
  proxies: readonly Proxy[],
  numbering: Numbering,
  attachments: readonly Attachment[],
): TableImages['listeners'] {
  const ifindex = new Map(attachments.map((attachment) => [attachment.name, attachment.ifindex]))
  const count = proxies.reduce((sum, proxy) => sum + proxy.listen.interfaces.length, 0)
  const keys = makeRows('lb_listener_key', count)
  const values = makeRows('lb_listener', count)
  let row = 0
  for (const [index, { listen, defaultTarget, sourceRoutes }] of proxies.entries()) {
    const any = defaultTarget[0]?.ip.includes(':') ? '::' : '0.0.0.0'
    const address = addressBytes(listen.address ?? any)
    for (const name of listen.interfaces) {
      keys.put(row, 'addr', address)
      keys.set(row, 'ifindex', requireIfindex(ifindex, name))
      keys.set(row, 'port_be', listen.port)
      keys.set(row, 'proto', protocolNumber(listen.protocol))
      values.set(row, 'proxy', index)
      values.set(row, 'group', numbering.proxies[index]!.group)
      if (sourceRoutes.length > 0) {
        values.set(row, 'flags', enums.lb_listener_flag.LB_LISTENER_SOURCE_ROUTES)
      }
      row++
    }
  }
  return { count, keys: keys.bytes, values: values.bytes }
}

function requireIfindex(ifindex: ReadonlyMap<string, number>, name: string): number {
  const found = ifindex.get(name)
  if (found === undefined) throw new LbError('host', `interface ${name} is in no attachment of the plan`)
  return found
}

function compileRoutes(proxies: readonly Proxy[], numbering: Numbering): TableImages['routes'] {
  const count = proxies.reduce((sum, proxy) => sum + proxy.sourceRoutes.length, 0)
  const keys = makeRows('lb_route_key', count)
  const values = makeRows('lb_route', count)
  let row = 0
  for (const [index, proxy] of proxies.entries()) {
    for (const [i, route] of proxy.sourceRoutes.entries()) {
      const prefix = parsePrefix(route.source)
      if (!prefix) throw new LbError('input', `'${route.source}' is no CIDR`)
      keys.set(row, 'prefixlen', 32 + mappedLength(prefix.family, prefix.length))
      keys.set(row, 'proxy', index)
      keys.put(row, 'source', prefix.bytes)
      values.set(row, 'group', numbering.proxies[index]!.routeGroups[i]!)
      row++
    }
  }
  return { count, keys: keys.bytes, values: values.bytes }
}

function compileGroups(numbering: Numbering): Pick<TableImages, 'groups' | 'members' | 'selection'> {
  const { groups } = numbering
  const groupRows = makeRows('lb_group', groups.length)
  const members = makeRows(
    'lb_member',
    groups.reduce((sum, group) => sum + group.targets.length, 0),
  )
  const { selection, offsets } = configuredSelection(numbering)
  let member = 0
  for (const [row, { proxy, targets, backends }] of groups.entries()) {
    groupRows.set(row, 'selection', offsets[row]!)
    groupRows.set(row, 'selection_count', offsets[row + 1]! - offsets[row]!)
    groupRows.set(row, 'member', member)
    groupRows.set(row, 'member_count', targets.length)
    groupRows.set(row, 'proxy', proxy)
    for (const [i, { weight }] of targets.entries()) {
      members.set(member, 'backend', backends[i]!)
      members.set(member, 'weight', weight ?? 0)
      member++
    }
  }
  return {
    groups: arrayImage(groupRows.bytes, TABLES.groups.valueSize),
    members: arrayImage(members.bytes, TABLES.members.valueSize),
    selection: arrayImage(new Uint8Array(selection.slice().buffer), TABLES.selection.valueSize),
  }
}

function compileBackends({ backends }: Numbering, counters: CounterRows): TableImages['backends'] {
  const rows = makeRows('lb_backend', backends.length)
  for (const [row, { ip, port, protocol }] of backends.entries()) {
    const stats = counters[row]
    if (stats === undefined) {
      const name = identityOf(ip, port, protocol)
      throw new LbError('state', `no row of counters was set aside for ${name}`)
    }
    rows.put(row, 'addr', addressBytes(ip))
    rows.set(row, 'port_be', port)
    rows.set(row, 'proto', protocolNumber(protocol))
    rows.set(row, 'stats', stats)
  }
  return arrayImage(rows.bytes, TABLES.backends.valueSize)
}

function compileProxies(proxies: readonly Proxy[], numbering: Numbering): TableImages['proxies'] {
  const rows = makeRows('lb_proxy', proxies.length)
  for (const [row, proxy] of proxies.entries()) {
    rows.setText(row, 'name', proxy.name)
    rows.set(row, 'group', numbering.proxies[row]!.group)
    rows.set(row, 'forwarding', enums.lb_forwarding.LB_FORWARDING_NAT)
  }
  return arrayImage(rows.bytes, TABLES.proxies.valueSize)
}

function compileInterfaces(attachments: readonly Attachment[]): TableImages['interfaces'] {
  const keys = new Uint8Array(Uint32Array.from(attachments, (a) => a.ifindex).buffer)
  const rows = makeRows('lb_interface', attachments.length)
  for (const [row, { name, attach, mode, roles, xdpXmit }] of attachments.entries()) {
    const xmit = xdpXmit ? enums.lb_interface_flag.LB_INTERFACE_XDP_XMIT : 0
    rows.setText(row, 'name', name)
    rows.set(row, 'attach', attachNumber(attach))
    rows.set(row, 'mode', attachNumber(mode))
    rows.set(row, 'flags', roleFlags(roles) | xmit)
  }
  return { count: attachments.length, keys, values: rows.bytes }
}

function compileSettings(settings: Settings): TableImages['settings'] {
  const rows = makeRows('lb_settings', 1)
  for (const key of SETTING_KEYS) rows.set(0, SETTING_FIELDS[key], settings[key])
  return arrayImage(rows.bytes, TABLES.settings.valueSize)
}
