/** Which machines a lab has. Everything has a default. */
export interface Shape {
  /** Machines with servers on them. */
  readonly backends?: number
  /** Networks with one client each, and as many interfaces of the load balancer. */
  readonly clients?: number
  /** IPv6 addresses beside the IPv4 ones. */
  readonly ipv6?: boolean
  /** All backends on one network behind `back0`, or each behind an interface of its own. */
  readonly backendNetwork?: 'shared' | 'separate'
  /** Servers on the load balancer itself, at its addresses on `back0`. */
  readonly localBackend?: boolean
  /** Bytes of the largest packet on the networks of clients and of backends. */
  readonly mtu?: { readonly client?: number; readonly backend?: number }
}

export interface Addresses {
  readonly ipv4: string
  readonly ipv6: string
}

/** One end of a virtual cable: an interface in a machine. */
export interface End {
  readonly host: string
  readonly device: string
  readonly mtu: number
}

export interface HostPlan {
  readonly name: string
  /** Its own address: a client's or backend's on its network, the load balancer's on `back0`. */
  readonly address: Addresses
  /** Shell commands that configure it once its interfaces are there. */
  readonly script: readonly string[]
}

export interface Topology {
  readonly lb: HostPlan
  readonly clients: readonly HostPlan[]
  readonly backends: readonly HostPlan[]
  /** The Ethernet switch between the backends, where they share a network. */
  readonly others: readonly HostPlan[]
  readonly cables: readonly (readonly [End, End])[]
}

/** The service address that clients reach through the load balancer. It is also on its loopback. */
export const vip: Addresses = { ipv4: '203.0.113.10', ipv6: '2001:db8:f::10' }

/** Documentation networks for clients, private ones for backends: x.1 is always the load balancer. */
const clientNets = ['198.51.100', '192.0.2', '198.18.0', '198.18.1']

const onNet = (kind: 'client' | 'backend', net: number, host: number): Addresses => ({
  ipv4: kind === 'client' ? `${clientNets[net]!}.${host}` : `10.0.${net}.${host}`,
  ipv6: `2001:db8:${kind === 'client' ? 'c' : 'b'}${net}::${host.toString(16)}`,
})

/** Works out machines, cables and addresses. Pure: nothing is made yet. */
export function topology(shape: Shape): Topology {
  const { backends = 3, clients = 1, ipv6 = false, backendNetwork = 'shared', mtu = {} } = shape
  if (clients < 1 || clients > clientNets.length) throw new Error(`1 to ${clientNets.length} clients`)
  const shared = backendNetwork === 'shared'
  const clientMtu = mtu.client ?? 1500
  const backendMtu = mtu.backend ?? 1500

  const clientPlans = range(clients).map((i): HostPlan => {
    const address = onNet('client', i, 2)
    return { name: `client${i}`, address, script: leaf(address, onNet('client', i, 1), ipv6) }
  })
  const backendPlans = range(backends).map((i): HostPlan => {
    const net = shared ? 0 : i
    const address = onNet('backend', net, 11 + i)
    return { name: `b${i + 1}`, address, script: leaf(address, onNet('backend', net, 1), ipv6) }
  })

  const fronts = range(clients).map((i) => ({ device: `front${i}`, address: onNet('client', i, 1) }))
  const backs = range(shared ? 1 : backends).map((i) => ({
    device: `back${i}`,
    address: onNet('backend', i, 1),
  }))
  const lb: HostPlan = {
    name: 'lb',
    address: onNet('backend', 0, 1),
    script: [
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
      'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
      ...address('lo', vip, ipv6, { ipv4: 32, ipv6: 128 }),
      ...[...fronts, ...backs].flatMap(({ device, address: own }) => address(device, own, ipv6)),
    ],
  }

  const cables: (readonly [End, End])[] = fronts.map(({ device }, i) => [
    { host: 'lb', device, mtu: clientMtu },
    { host: `client${i}`, device: 'eth0', mtu: clientMtu },
  ])
  for (const [i, { name }] of backendPlans.entries()) {
    const near = shared ? { host: 'switch', device: name } : { host: 'lb', device: `back${i}` }
    cables.push([
      { ...near, mtu: backendMtu },
      { host: name, device: 'eth0', mtu: backendMtu },
    ])
  }
  if (shared) {
    cables.push([
      { host: 'lb', device: 'back0', mtu: backendMtu },
      { host: 'switch', device: 'uplink', mtu: backendMtu },
    ])
  }
  const ports = ['uplink', ...backendPlans.map(({ name }) => name)]
  const others = shared ? [{ name: 'switch', address: { ipv4: '', ipv6: '' }, script: bridge(ports) }] : []
  return { lb, clients: clientPlans, backends: backendPlans, others, cables }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function address(
  device: string,
  { ipv4, ipv6 }: Addresses,
  withIpv6: boolean,
  length = { ipv4: 24, ipv6: 64 },
): string[] {
  // Without nodad an address is unusable for a second while the host asks whether it is taken.
  const six = [`ip address add ${ipv6}/${length.ipv6} dev ${device} nodad`]
  return [`ip address add ${ipv4}/${length.ipv4} dev ${device}`, ...(withIpv6 ? six : [])]
}

/** A machine with one interface and a default route. */
function leaf(own: Addresses, router: Addresses, ipv6: boolean): string[] {
  return [
    ...address('eth0', own, ipv6),
    `ip route add default via ${router.ipv4}`,
    ...(ipv6 ? [`ip -6 route add default via ${router.ipv6}`] : []),
    // A packet from a machine on a wire has its whole checksum; one from a veth only part of it,
    // and a receiver behind a redirect drops that.
    'ethtool -K eth0 tx off > /dev/null',
  ]
}

function bridge(ports: readonly string[]): string[] {
  const enslave = ports.map((port) => `ip link set ${port} master br0`)
  return ['ip link add br0 type bridge', ...enslave, 'ip link set br0 up']
}
