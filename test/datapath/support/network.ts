/**
 * The host that packets are run on: a network namespace with interfaces, routes and neighbours that
 * never change, so that the kernel's routing has an answer for every kind of way out. The model's
 * picture of it stands beside the commands that make it.
 */
import { removeNamespaces } from '../../support/lab/cleanup.ts'
import { testNames } from '../../support/lab/names.ts'
import { mustRun } from '../../support/lab/run.ts'
import type { World } from '../../support/model.ts'

const mac = (kind: number, host: number): string => `02:00:00:00:0${kind}:0${host}`

/** Hosts .2 to .9 on the backends' network. */
const BACKEND_HOSTS = [2, 3, 4, 5, 6, 7, 8, 9]

export const world: World = {
  devices: {
    client0: { mac: mac(1, 0), attach: 'tcx', xdpXmit: true, forwarding: true },
    server0: { mac: mac(2, 0), attach: 'tcx', xdpXmit: true, forwarding: true },
    plain0: { mac: mac(3, 0), attach: 'tcx', xdpXmit: false, forwarding: true },
    still0: { mac: mac(4, 0), attach: 'tcx', xdpXmit: true, forwarding: false },
    bare0: { mac: mac(5, 0), attach: 'none', xdpXmit: true, forwarding: true },
  },
  routes: [
    { prefix: '100.64.0.0/10', device: 'client0', nextHopMac: mac(1, 2), mtu: 1500 },
    { prefix: 'fd64::/16', device: 'client0', nextHopMac: mac(1, 2), mtu: 1500 },
    // Clients that replies do not reach at once.
    { prefix: '100.126.0.0/16', reason: 'LB_STACK_UNREACHABLE' },
    { prefix: '100.127.0.0/16', device: 'client0', nextHopMac: mac(1, 2), mtu: 600 },
    { prefix: 'fd64:127::/32', device: 'client0', nextHopMac: mac(1, 2), mtu: 1300 },
    { prefix: '10.11.0.0/24', device: 'bare0', reason: 'LB_STACK_NO_NEIGHBOUR' },
    { prefix: 'fd11::/64', device: 'bare0', reason: 'LB_STACK_NO_NEIGHBOUR' },
    ...BACKEND_HOSTS.flatMap((host) => [
      { prefix: `10.2.0.${host}/32`, device: 'server0', nextHopMac: mac(2, host) },
      { prefix: `fd02::${host}/128`, device: 'server0', nextHopMac: mac(2, host) },
    ]),
    { prefix: '10.2.0.1/32', reason: 'LB_STACK_NOT_FORWARDED' },
    { prefix: 'fd02::1/128', reason: 'LB_STACK_NOT_FORWARDED' },
    // Nobody else is on the networks of the interfaces.
    ...[1, 2].flatMap((net) => [
      {
        prefix: `10.${net}.0.0/24`,
        device: ['client0', 'server0'][net - 1]!,
        reason: 'LB_STACK_NO_NEIGHBOUR',
      },
      { prefix: `fd0${net}::/64`, device: ['client0', 'server0'][net - 1]!, reason: 'LB_STACK_NO_NEIGHBOUR' },
      { prefix: `10.${net}.0.255/32`, reason: 'LB_STACK_NOT_FORWARDED' },
    ]),
    { prefix: '10.3.0.0/24', device: 'plain0', nextHopMac: mac(3, 2) },
    { prefix: 'fd03::/64', device: 'plain0', nextHopMac: mac(3, 2) },
    { prefix: '10.4.0.0/24', device: 'server0', nextHopMac: mac(2, 2), mtu: 600 },
    { prefix: 'fd04::/64', device: 'server0', nextHopMac: mac(2, 2), mtu: 1300 },
    { prefix: '10.5.0.0/24', reason: 'LB_STACK_BLACKHOLE' },
    { prefix: 'fd05::/64', reason: 'LB_STACK_BLACKHOLE' },
    { prefix: '10.6.0.0/24', reason: 'LB_STACK_UNREACHABLE' },
    { prefix: 'fd06::/64', reason: 'LB_STACK_UNREACHABLE' },
    { prefix: '10.7.0.0/24', reason: 'LB_STACK_PROHIBITED' },
    { prefix: 'fd07::/64', reason: 'LB_STACK_PROHIBITED' },
    { prefix: '10.8.0.0/24', device: 'server0', reason: 'LB_STACK_ENCAPSULATED' },
    { prefix: 'fd08::/64', device: 'server0', reason: 'LB_STACK_ENCAPSULATED' },
  ],
}

/** Each device has its other end in the namespace too; the other ends are silent. */
function deviceScript(name: string, address: string): string[] {
  return [
    `ip link add ${name} address ${address} type veth peer name ${name}p`,
    `ip link set ${name} addrgenmode none`,
    `ip link set ${name}p addrgenmode none`,
    `ip link set ${name} up`,
    `ip link set ${name}p up`,
  ]
}

const script = [
  'set -e',
  'ip link set lo up',
  ...Object.entries(world.devices).flatMap(([name, device]) => deviceScript(name, device.mac)),
  'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
  'sysctl -qw net.ipv4.conf.still0.forwarding=0 net.ipv6.conf.still0.forwarding=0',
  ...[1, 2, 3].flatMap((net) => {
    const device = ['client0', 'server0', 'plain0'][net - 1]!
    return [
      `ip addr add ${net === 3 ? '10.9.0.1/24' : `10.${net}.0.1/24`} dev ${device}`,
      `ip addr add ${net === 3 ? 'fd09::1/64' : `fd0${net}::1/64`} dev ${device} nodad`,
    ]
  }),
  'ip addr add 10.10.0.1/24 dev still0',
  'ip addr add fd10::1/64 dev still0 nodad',
  'ip addr add 10.11.0.1/24 dev bare0',
  'ip addr add fd11::1/64 dev bare0 nodad',
  `ip neigh add 10.1.0.2 lladdr ${mac(1, 2)} dev client0 nud permanent`,
  `ip neigh add fd01::2 lladdr ${mac(1, 2)} dev client0 nud permanent`,
  `ip neigh add 10.9.0.2 lladdr ${mac(3, 2)} dev plain0 nud permanent`,
  `ip neigh add fd09::2 lladdr ${mac(3, 2)} dev plain0 nud permanent`,
  ...BACKEND_HOSTS.flatMap((host) => [
    `ip neigh add 10.2.0.${host} lladdr ${mac(2, host)} dev server0 nud permanent`,
    `ip neigh add fd02::${host} lladdr ${mac(2, host)} dev server0 nud permanent`,
  ]),
  'ip route add 100.64.0.0/10 via 10.1.0.2',
  'ip route add fd64::/16 via fd01::2',
  'ip route add unreachable 100.126.0.0/16',
  'ip route add 100.127.0.0/16 via 10.1.0.2 mtu lock 600',
  'ip route add fd64:127::/32 via fd01::2 mtu lock 1300',
  'ip route add 10.3.0.0/24 via 10.9.0.2',
  'ip route add fd03::/64 via fd09::2',
  'ip route add 10.4.0.0/24 via 10.2.0.2 mtu lock 600',
  'ip route add fd04::/64 via fd02::2 mtu lock 1300',
  'ip route add blackhole 10.5.0.0/24',
  'ip route add blackhole fd05::/64',
  'ip route add unreachable 10.6.0.0/24',
  'ip route add unreachable fd06::/64',
  'ip route add prohibit 10.7.0.0/24',
  'ip route add prohibit fd07::/64',
  // Policies that look at ports: at such as no change of one byte makes of the usual ones.
  ...['-4', '-6'].flatMap((family) => [
    `ip ${family} route add blackhole default table 99`,
    `ip ${family} rule add ipproto tcp dport 30697 lookup 99`,
    `ip ${family} rule add ipproto tcp sport 30695 lookup 99`,
  ]),
  'ip route add 10.8.0.0/24 encap ip id 1 dst 10.2.0.2 via 10.2.0.2 dev server0',
  'ip route add fd08::/64 encap ip6 id 1 dst fd02::2 via fd02::2 dev server0',
].join('\n')

export interface Network {
  readonly namespace: string
  remove(): Promise<void>
}

export async function createNetwork(): Promise<Network> {
  const namespace = `${testNames().namespacePrefix}dp`
  const remove = () => removeNamespaces([namespace])
  try {
    await mustRun(['ip', 'netns', 'add', namespace])
    await mustRun(['nsenter', `--net=/run/netns/${namespace}`, 'sh', '-c', script])
  } catch (error) {
    await remove()
    throw error
  }
  return { namespace, remove }
}
