/** Random cases. A seed and a number give the same case every time. */
import type { Hook } from '../../support/model.ts'
import type { L4 } from '../../support/packet.ts'
import type { Extra, Flow } from '../support/flow.ts'
import type { Activation, Case, Packet, Step } from './case.ts'
import { PORTS, randomConfigurations, VIPS, type Family } from './configurations.ts'
import { randomDamage } from './damage.ts'
import { dice, type Dice } from './dice.ts'

export const STEPS_PER_CASE = 100

const CLIENTS = {
  ipv4: [
    ...['100.64.0.1', '100.64.0.2', '100.64.1.1', '100.65.0.1', '100.100.0.1'],
    // Those that replies do not reach at once.
    ...['100.126.0.1', '100.127.0.1', '10.11.0.2'],
  ],
  ipv6: ['fd64::1', 'fd64::2', 'fd64:1::1', 'fd64:1::2', 'fd64:ffff::1', 'fd64:127::1', 'fd11::2'],
} as const
const EXTENSIONS = [0, 43, 44, 51, 60, 135]

/** What a connection does when nothing comes in between: who sends, and TCP flags. */
const COURSE: readonly (readonly [Packet['from'], string])[] = [
  ['client', 'S'],
  ['backend', 'SA'],
  ['client', 'A'],
  ['client', 'PA'],
  ['backend', 'A'],
  ['backend', 'PA'],
  ['client', 'FA'],
  ['backend', 'FA'],
  ['client', 'A'],
]
const FLAGS = ['S', 'S', 'S', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'SA', 'SF', 'F', '']

/** A flow, where its packets come in, and how far it has come in its course. */
interface Running {
  readonly flow: Flow
  readonly device: string
  readonly hook: Hook
  at: number
}

function randomFlow(
  { below, chance, pick }: Dice,
  clients: Readonly<Record<Family, readonly string[]>>,
): Flow {
  const family: Family = chance(0.4) ? 'ipv6' : 'ipv4'
  return {
    protocol: pick<L4>(['tcp', 'tcp', 'udp']),
    source: pick(clients[family]),
    sourcePort: 4000 + below(2),
    destination: pick(VIPS[family]),
    destinationPort: pick(PORTS),
  }
}

function randomExtra({ below, chance, pick }: Dice, flow: Flow, flags: string): Extra {
  const v6 = flow.source.includes(':')
  return {
    ...(flow.protocol === 'tcp' && { flags }),
    ...(chance(0.3) && { ttl: chance(0.2) ? below(3) : 1 + below(255) }),
    ...(chance(0.3) && { tos: below(256) & 0xfc }),
    ...(!v6 && chance(0.05) && { ipOptions: 4 * (1 + below(10)) }),
    ...(v6 && chance(0.06) && { extensions: Array.from({ length: 1 + below(2) }, () => pick(EXTENSIONS)) }),
    ...(flow.protocol === 'tcp' && chance(0.3) && { tcpOptions: 4 * below(11) }),
    ...(chance(0.6) && { payload: chance(0.15) ? 500 + below(950) : below(40) }),
    ...(flow.protocol === 'udp' && chance(0.2) && { udpChecksum: false }),
    ...(chance(0.2) && { trailer: below(20) }),
    ...(!v6 && chance(0.1) && { fragment: pick([0x2000, 0x0001, 0x3fff, 0x8000, 0, 0, 0, 0, 0, 0, 0]) }),
  }
}

/** Where replies come by, and where the stack sends them out. */
function replyDevice({ chance, pick }: Dice, hook: Hook): string {
  const usual = hook === 'egress' ? 'client0' : 'server0'
  return chance(0.93) ? usual : pick(['client0', 'server0', 'plain0', 'still0', 'bare0'])
}

function randomPacket(roll: Dice, running: Running): Packet {
  const { chance, pick } = roll
  const { flow } = running
  const next = COURSE[running.at]
  const onCourse = next !== undefined && chance(0.7)
  if (onCourse || chance(0.3)) running.at = (running.at + 1) % (COURSE.length + 1)
  const [from, flags] = onCourse ? next : [pick(['client', 'backend'] as const), pick(FLAGS)]
  const hooks: readonly Hook[] =
    from === 'client' ? ['xdp', 'ingress'] : ['xdp', 'xdp', 'ingress', 'ingress', 'egress']
  const hook = chance(0.03) ? 'egress' : chance(0.5) && from === 'client' ? running.hook : pick(hooks)
  const device = from === 'client' && chance(0.97) ? running.device : replyDevice(roll, hook)
  const extra = randomExtra(roll, flow, flags)
  const zero = flow.protocol === 'udp' && extra.udpChecksum !== false && chance(0.1)
  const packet: Packet = { hook, device, from, flow, extra: zero ? { ...extra, payload: 2 } : extra }
  return {
    ...packet,
    ...(zero && { zeroSum: true }),
    ...(chance(0.2) && { damage: randomDamage(roll, packet) }),
  }
}

function randomActivation({ chance, below }: Dice, configurations: number): Activation {
  return { activate: chance(0.15) ? 'none' : below(configurations) }
}

export function randomCase(seed: number, number: number): Case {
  const roll = dice(seed, number)
  const { below, chance, pick } = roll
  const devices = chance(0.85) ? ['client0'] : ['client0', pick(['still0', 'plain0', 'bare0'])]
  const configurations = randomConfigurations(roll, devices)
  // Few clients, so that some flows have their address and port in common.
  const clients = {
    ipv4: [pick(CLIENTS.ipv4), pick(CLIENTS.ipv4)],
    ipv6: [pick(CLIENTS.ipv6), pick(CLIENTS.ipv6)],
  }
  const flows = Array.from({ length: 2 + below(8) }, (): Running => ({
    flow: randomFlow(roll, clients),
    device: pick(devices),
    hook: pick(['xdp', 'ingress']),
    at: 0,
  }))
  const steps = Array.from({ length: STEPS_PER_CASE }, (_, i): Step => {
    // Nothing is active for a packet or two, not for the rest of the case.
    if (i > 0 && chance(0.03)) return randomActivation(roll, configurations.length)
    return randomPacket(roll, pick(flows))
  })
  return { configurations, steps: withoutLongSilence(steps) }
}

/** Puts the first configuration back after at most three packets without one. */
function withoutLongSilence(steps: readonly Step[]): Step[] {
  let silent = -1
  return steps.map((step) => {
    if ('activate' in step) silent = step.activate === 'none' ? 0 : -1
    else if (silent >= 0 && ++silent > 3) {
      silent = -1
      return { activate: 0 }
    }
    return step
  })
}
