import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Configuration, Endpoint, Hook } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { ETHERNET, type L4 } from '../support/packet.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import {
  forwardFrame,
  replyFrame,
  startSession,
  type Extra,
  type Flow,
  type Session,
} from './support/session.ts'

const SEED = Number(process.env['LB_TEST_SEED'] ?? Date.now() % 2 ** 32)
const STEPS = Number(process.env['LB_TEST_STEPS'] ?? 4000)

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

/** Mulberry32: a small generator of numbers from 0 to 1 that a seed makes repeatable. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Dice {
  readonly below: (n: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(list: readonly T[]) => T
}

function dice(seed: number): Dice {
  const next = generator(seed)
  const below = (n: number): number => Math.floor(next() * n)
  return { below, chance: (probability) => next() < probability, pick: (list) => list[below(list.length)]! }
}

const VIPS4 = ['203.0.113.10', '203.0.113.11', '203.0.113.12']
const VIPS6 = ['2001:db8::10', '2001:db8::11', '2001:db8::12']
const CLIENTS4 = [
  '100.126.0.1',
  '100.127.0.1',
  '10.11.0.2',
  '100.64.0.1',
  '100.64.0.2',
  '100.64.1.1',
  '100.65.0.1',
  '100.100.0.1',
]
const CLIENTS6 = ['fd64:127::1', 'fd11::2', 'fd64::1', 'fd64::2', 'fd64:1::1', 'fd64:ffff::1']
/** Most can be reached; some leave the packet to the stack. */
const HOSTS4 = [
  '10.2.0.2',
  '10.2.0.3',
  '10.2.0.4',
  '10.2.0.5',
  '10.2.0.99',
  '10.3.0.1',
  '10.4.0.1',
  '10.7.0.1',
  '10.2.0.1',
]
const HOSTS6 = [
  'fd02::2',
  'fd02::3',
  'fd02::4',
  'fd02::5',
  'fd02::99',
  'fd03::1',
  'fd04::1',
  'fd05::1',
  'fd02::1',
]
const GROUPS = ['a', 'b', 'c', 'd']

/** Groups of at most 8 entries: the data plane tries that many, so the model can tell a conflict for sure. */
function randomConfiguration({ below, chance, pick }: Dice): Configuration {
  const run = (hosts: readonly string[]): Endpoint[] =>
    Array.from({ length: pick([1, 1, 2, 3, 8]) }, () => ({ ip: pick(hosts), port: 8080 + below(2) }))
  const groups: Record<string, Endpoint[]> = {}
  for (const name of GROUPS) {
    groups[`${name}4`] = chance(0.05) ? [] : run(HOSTS4)
    groups[`${name}6`] = chance(0.05) ? [] : run(HOSTS6)
  }
  const routes4 = ['100.64.0.0/10', '100.64.0.0/16', '100.64.1.0/24', '100.64.0.2/32', '0.0.0.0/0']
  const routes6 = ['fd64::/16', 'fd64::/64', 'fd64:1::/32', 'fd64::2/128', '::/0']
  const listeners = (['tcp', 'udp'] as const).flatMap((protocol) =>
    [80, 81].flatMap((port) =>
      [...VIPS4.slice(0, 2), '0.0.0.0', ...VIPS6.slice(0, 2), '::']
        .filter(() => chance(0.6))
        .map((address) => {
          const family = address.includes(':') ? 6 : 4
          const group = `${pick(GROUPS)}${family}`
          const listener = { device: 'client0', address, port, protocol, group }
          if (chance(0.5)) return listener
          const sources = (family === 4 ? routes4 : routes6).filter(() => chance(0.5))
          return {
            ...listener,
            routes: sources.map((source) => ({ source, group: `${pick(GROUPS)}${family}` })),
          }
        }),
    ),
  )
  return { listeners, groups }
}

function randomFlow({ below, chance, pick }: Dice): Flow {
  const six = chance(0.4)
  return {
    protocol: pick<L4>(['tcp', 'tcp', 'udp']),
    source: pick(six ? CLIENTS6 : CLIENTS4),
    sourcePort: 4000 + below(3),
    destination: pick(six ? VIPS6 : VIPS4),
    destinationPort: 80 + below(2),
  }
}

function randomExtra({ below, chance, pick }: Dice, flow: Flow): Extra {
  return {
    flags: pick(['S', 'S', 'S', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'SA', 'SF', 'F', '']),
    ttl: chance(0.1) ? below(3) : 1 + below(255),
    tos: below(256) & 0xfc,
    ipOptions: !flow.source.includes(':') && chance(0.2) ? 4 * below(11) : 0,
    tcpOptions: chance(0.3) ? 4 * below(11) : 0,
    payload: chance(0.1) ? 1200 + below(250) : below(40),
    udpChecksum: !chance(0.2),
    trailer: chance(0.2) ? below(20) : 0,
    ...(chance(0.1) ? { fragment: pick([0x2000, 0x0001, 0x3fff, 0x8000, 0, 0, 0, 0]) } : {}),
  }
}

interface Step {
  readonly hook: Hook
  readonly device: string
  readonly frame: Uint8Array
}

function randomStep(roll: Dice, session: Session): Step {
  const { chance, pick } = roll
  const flow = randomFlow(roll)
  const { connections } = session.model
  if (connections.length > 0 && chance(0.45)) {
    const { protocol, client, listener, backend } = pick(connections)
    const known: Flow = {
      protocol,
      source: client.ip,
      sourcePort: client.port,
      destination: listener.ip,
      destinationPort: listener.port,
    }
    if (chance(0.4)) {
      return {
        hook: pick(['xdp', 'ingress']),
        device: 'client0',
        frame: forwardFrame(known, randomExtra(roll, known)),
      }
    }
    const hook = pick<Hook>(['xdp', 'ingress', 'egress'])
    const device = hook === 'egress' ? 'client0' : 'server0'
    return { hook, device, frame: replyFrame(known, backend, randomExtra(roll, known), device) }
  }
  const hook = pick<Hook>(['xdp', 'xdp', 'ingress', 'ingress', 'egress'])
  const device = chance(0.95) ? 'client0' : 'server0'
  return { hook, device, frame: forwardFrame(flow, randomExtra(roll, flow), device) }
}

/**
 * Some bytes of the headers changed, or the end of the frame cut off. Addresses stay: what the host
 * does with an arbitrary one is not the data plane's affair.
 */
function damage({ below, chance, pick }: Dice, { frame, ...rest }: Step): Step {
  const v6 = frame[12] === 0x86
  const header = ETHERNET + (v6 ? 40 : 20)
  const out = frame.slice(0, chance(0.2) ? header + below(frame.length - header + 1) : frame.length)
  for (let i = below(3); i >= 0; i--) {
    const at = pick([
      chance(0.1) ? below(ETHERNET) : ETHERNET,
      ETHERNET + below(v6 ? 8 : 12),
      Math.min(out.length - 1, header + below(20)),
    ])
    out[at] = chance(0.5) ? below(256) : out[at]! ^ (1 << below(8))
  }
  return { ...rest, frame: out }
}

/** A seed repeats configurations and packets; what the data plane chooses stays its own. */
test(`${STEPS} random packets, seed ${SEED}`, { timeout: 300_000 }, async () => {
  const roll = dice(SEED)
  const configurations = Array.from({ length: 3 }, () => randomConfiguration(roll))
  // One list of groups in all of them, so that rows of counters mean the same backends throughout.
  const [first, ...others] = configurations.map((one) => ({ ...one, groups: configurations[0]!.groups }))
  const session = startSession(plane, first!)
  const reasons = new Map<string, number>()
  for (let i = 0; i < STEPS; i++) {
    if (roll.chance(0.002)) session.activate(roll.pick([first!, ...others]), 1 + roll.below(15))
    const whole = randomStep(roll, session)
    const { hook, frame, device } = roll.chance(0.15) ? damage(roll, whole) : whole
    const { fate } = await session.send(hook, frame, device)
    reasons.set(fate.reason, (reasons.get(fate.reason) ?? 0) + 1)
    if (i % 500 === 499) session.verify()
  }
  session.verify()
  // A walk that never got anywhere would prove nothing.
  expect(reasons.get('LB_DROP_TUPLE_CONFLICT') ?? 0).toBeGreaterThan(0)
  for (const reason of ['LB_REDIRECT', 'LB_STACK_EGRESS', 'LB_PASS_NO_CONNECTION']) {
    expect(reasons.get(reason) ?? 0, reason).toBeGreaterThan(STEPS / 1000)
  }
})
