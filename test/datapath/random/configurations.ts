/** Random configurations of the load balancer on the host of `network.ts`. */
import type { Attached, Configuration, Endpoint, Listener } from '../../support/model.ts'
import { world } from '../support/network.ts'
import type { Dice } from './dice.ts'

export const VIPS = {
  ipv4: ['203.0.113.10', '203.0.113.11', '203.0.113.12'],
  ipv6: ['2001:db8::10', '2001:db8::11', '2001:db8::12'],
} as const
export const PORTS = [80, 81] as const
export type Family = keyof typeof VIPS

/** Most can be reached; some leave the packet to the stack, each for a reason of its own. */
const NEAR = { ipv4: ['10.2.0.2', '10.2.0.3', '10.2.0.4'], ipv6: ['fd02::2', 'fd02::3', 'fd02::4'] } as const
const FAR = {
  ipv4: [
    ...['10.2.0.99', '10.3.0.1', '10.4.0.1', '10.5.0.1', '10.6.0.1', '10.7.0.1', '10.8.0.1', '10.2.0.1'],
    ...['10.3.0.1', '10.4.0.1'],
  ],
  ipv6: [
    ...['fd02::99', 'fd03::1', 'fd04::1', 'fd05::1', 'fd06::1', 'fd07::1', 'fd08::1', 'fd02::1'],
    ...['fd03::1', 'fd04::1'],
  ],
} as const
const SOURCES = {
  ipv4: ['100.64.0.0/10', '100.64.0.0/16', '100.64.1.0/24', '100.64.0.2/32', '100.64.0.0/31', '0.0.0.0/0'],
  ipv6: ['fd64::/16', 'fd64::/64', 'fd64:1::/32', 'fd64::2/128', 'fd64::/127', '::/0'],
} as const
const ANY = { ipv4: '0.0.0.0', ipv6: '::' } as const
const GROUPS = ['a', 'b', 'c', 'd']
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** At most 8 entries: the data plane tries that many, so the model can tell a conflict for sure. */
function randomRun({ chance, pick, below }: Dice, family: Family): Endpoint[] {
  if (chance(0.04)) return []
  return Array.from({ length: pick([1, 1, 2, 3, 8]) }, () => ({
    ip: pick(chance(0.75) ? NEAR[family] : FAR[family]),
    port: 8080 + below(2),
  }))
}

function randomGroups(roll: Dice): Configuration['groups'] {
  const names = FAMILIES.flatMap((family) => GROUPS.map((name) => [`${name} ${family}`, family] as const))
  return Object.fromEntries(names.map(([name, family]) => [name, randomRun(roll, family)]))
}

function randomListeners(roll: Dice, device: string): Listener[] {
  const { chance, pick, some } = roll
  return (['tcp', 'udp'] as const).flatMap((protocol) =>
    FAMILIES.flatMap((family) =>
      PORTS.flatMap((port) =>
        some([...VIPS[family].slice(0, 2), ANY[family]], 0.7).map((address) => {
          const group = `${pick(GROUPS)} ${family}`
          const routes = some(SOURCES[family], 0.4).map((source) => ({
            source,
            group: `${pick(GROUPS)} ${family}`,
          }))
          return { device, address, port, protocol, group, ...(chance(0.5) && { routes }) }
        }),
      ),
    ),
  )
}

const ATTACHED: readonly Attached[] = [
  { attach: 'tcx', xdpXmit: true },
  { attach: 'tcx', xdpXmit: false },
  { attach: 'xdp', xdpXmit: true },
  { attach: 'xdp', xdpXmit: false },
  { attach: 'xdp-generic', xdpXmit: false },
  { attach: 'none', xdpXmit: true },
  { attach: 'absent', xdpXmit: false },
]

/** Two times in three the interfaces are as the world has them. */
function randomInterfaces({ chance, pick, some }: Dice): Pick<Configuration, 'interfaces'> {
  if (chance(0.67)) return {}
  const names = some(Object.keys(world.devices), 0.5)
  return { interfaces: Object.fromEntries(names.map((name) => [name, pick(ATTACHED)])) }
}

/** As many as may be active in one case; all with the same groups, so that rows of counters mean the same backends. */
export function randomConfigurations(roll: Dice, devices: readonly string[]): Configuration[] {
  const groups = randomGroups(roll)
  return Array.from({ length: roll.pick([1, 2]) }, () => ({
    listeners: devices.flatMap((device) => randomListeners(roll, device)),
    groups,
    ...randomInterfaces(roll),
    ...(roll.chance(0.15) && { maxConnections: 1 + roll.below(5) }),
  }))
}
