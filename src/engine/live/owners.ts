/** What each row of a generation's tables belongs to, in words of the configuration. */
import { identityOf, numberDeployment } from '../abi/numbering.ts'
import { configuredSelection } from '../abi/selection.ts'
import { formatIp, formatEndpoint, isMapped } from '../model/ip.ts'
import { interfaceAddress, proxyAddress, sourceRouteAddress } from '../model/resource.ts'
import type { Deployment } from '../model/snapshot.ts'
import { protocolName } from '../abi/names.ts'
import { rowsOver } from '../abi/struct.ts'
import type { TableName } from '../abi/tables.ts'

/** Names rows of arrays by number, rows of hashes by key. */
export interface Owners {
  row(table: TableName, row: number, key: Uint8Array): string
}

/** Owners of the rows that `compile(deployment)` makes; rows beyond are named by table and number. */
export function ownersOf(deployment: Deployment): Owners {
  const numbering = numberDeployment(deployment)
  const proxyNames = deployment.snapshot.proxies.map(({ name }) => name)
  const interfaceNames = new Map(deployment.attachments.map(({ ifindex, name }) => [ifindex, name]))
  const names: Partial<Record<TableName, string[]>> = {
    proxies: proxyNames.map(proxyAddress),
    backends: numbering.backends.map(
      ({ ip, port, protocol }) => `backend[${JSON.stringify(identityOf(ip, port, protocol))}]`,
    ),
    ...groupOwners(deployment, numbering),
  }
  return {
    row(table, row, key) {
      if (table === 'listeners') return listenerOwner(key, interfaceNames)
      if (table === 'routes') return routeOwner(key, proxyNames)
      if (table === 'interfaces') {
        const ifindex = new DataView(key.buffer, key.byteOffset).getUint32(0, true)
        return interfaceAddress(interfaceNames.get(ifindex) ?? `ifindex-${ifindex}`)
      }
      return names[table]?.[row] ?? `${table}[${row}]`
    },
  }
}

/** `listener["eth0 203.0.113.10:80/tcp"]`: a proxy may lose one of several. */
function listenerOwner(key: Uint8Array, interfaceNames: ReadonlyMap<number, string>): string {
  const keys = rowsOver('lb_listener_key', key)
  const proto = keys.get(0, 'proto')
  const ifindex = keys.get(0, 'ifindex')
  const name = interfaceNames.get(ifindex) ?? `ifindex-${ifindex}`
  const endpoint = formatEndpoint(formatIp(keys.slice(0, 'addr')), keys.get(0, 'port_be'))
  return `listener[${JSON.stringify(`${name} ${endpoint}/${protocolName(proto) ?? proto}`)}]`
}

function routeOwner(key: Uint8Array, proxyNames: readonly string[]): string {
  const keys = rowsOver('lb_route_key', key)
  const source = keys.slice(0, 'source')
  const bits = keys.get(0, 'prefixlen') - 32
  const text = `${formatIp(source)}/${isMapped(source) ? bits - 96 : bits}`
  const proxy = keys.get(0, 'proxy')
  const name = proxyNames[proxy]
  return name === undefined ? `routes[${proxy}][${JSON.stringify(text)}]` : sourceRouteAddress(name, text)
}

function groupOwners(
  { snapshot }: Deployment,
  numbering: ReturnType<typeof numberDeployment>,
): Record<'groups' | 'members' | 'selection', string[]> {
  const { groups, proxies } = numbering
  const { offsets } = configuredSelection(numbering)
  const owner = new Array<string>(groups.length)
  for (const [index, proxy] of snapshot.proxies.entries()) {
    const { group, routeGroups } = proxies[index]!
    for (const [i, route] of proxy.sourceRoutes.entries()) {
      owner[routeGroups[i]!] ??= sourceRouteAddress(proxy.name, route.source)
    }
    owner[group] = proxyAddress(proxy.name)
  }
  const members: string[] = []
  const selection: string[] = []
  for (const [row, { targets }] of groups.entries()) {
    for (const { ip, port } of targets) {
      members.push(`${owner[row]}.target[${JSON.stringify(formatEndpoint(ip, port))}]`)
    }
    const entries = offsets[row + 1]! - offsets[row]!
    for (let i = 0; i < entries; i++) selection.push(`${owner[row]}.selection[${i}]`)
  }
  return { groups: owner.map((name) => `${name}.group`), members, selection }
}
