/** The lab that packets are replayed in: every lookup of a route and a neighbour has an answer. */
import { type Host } from '../../test/support/lab/host.ts'
import { vip, type Lab } from '../../test/support/netns.ts'
import { ends } from './frames.ts'
import { routePorts, TABLE_CONNECTIONS } from './scenarios.ts'

/** Nobody answers for the clients, so the ways to them are written down. */
export async function prepareNetwork(lab: Lab): Promise<void> {
  const [backend] = lab.backends
  await addNeighbours(lab, lab.client, 'front0')
  await addNeighbours(lab, backend!, 'back0')
  await lab.lb.exec(['ip', 'route', 'add', '100.64.0.0/12', 'via', lab.client.address.ipv4])
  await lab.lb.exec(['ip', '-6', 'route', 'add', '2001:db8:c1::/64', 'via', lab.client.address.ipv6])
  // A veth sends what XDP redirects to it only if its other end takes frames in batches.
  for (const host of [lab.client, backend!]) await host.exec(['ethtool', '-K', 'eth0', 'gro', 'on'])
}

async function addNeighbours(lab: Lab, host: Host, device: string): Promise<void> {
  const shown = await host.exec(['ip', '-json', 'link', 'show', 'eth0'])
  const [link] = JSON.parse(shown) as { readonly address: string }[]
  for (const ip of [host.address.ipv4, host.address.ipv6]) {
    const to = ['lladdr', link!.address, 'dev', device, 'nud', 'permanent']
    await lab.lb.exec(['ip', 'neighbour', 'replace', ip, ...to])
  }
}

/** Proxies without source routes, with one and with 10,000 of them: every client is in one of them. */
export function configuration(backendPort = ends.ipv4.backendPort): unknown {
  const listen = { interfaces: ['front0'], protocol: 'tcp' }
  const target = { ip: ends.ipv4.backend, port: backendPort }
  const one = [{ source: '100.64.0.0/10', target }]
  const many = Array.from({ length: 10_000 }, (_, i) => ({
    source: `100.${64 + (i >> 12)}.${(i >> 4) & 255}.${(i & 15) << 4}/28`,
    target,
  }))
  const proxy = (name: string, port: number, sourceRoutes: unknown) => ({
    name,
    listen: { ...listen, address: vip.ipv4, port },
    defaultTarget: target,
    sourceRoutes,
  })
  return {
    version: 1,
    proxies: [
      proxy('plain', routePorts[0], []),
      proxy('one', routePorts[1], one),
      proxy('many', routePorts[10_000], many),
      {
        name: 'plain6',
        listen: { ...listen, address: vip.ipv6, port: routePorts[0] },
        defaultTarget: { ip: ends.ipv6.backend, port: ends.ipv6.backendPort },
      },
    ],
    interfaces: { front0: { attach: 'xdp' }, back0: { attach: 'xdp' } },
    // Connections are to stay for as long as they are measured.
    settings: { maxConnections: TABLE_CONNECTIONS, synTimeoutSec: 3600 },
  }
}
