/** Packets whose fate the generations A and B decide differently, and what either makes of them. */
import { longest } from '../../support/model-route.ts'
import type { Endpoint } from '../../support/model.ts'
import type { L4 } from '../../support/packet.ts'
import {
  backendsOf,
  PORTS,
  REFUSED,
  ROUTED,
  VIP,
  type Family,
  type Generation,
  type Route,
} from './generations.ts'
import { world } from '../support/network.ts'
import { forwardFrame, replyFrame, type Extra, type Flow } from '../support/flow.ts'

/** Bytes of each frame, what follows the packet included. */
export const FRAME_SIZE = 80

export type FlipHook = 'xdp' | 'ingress'

export interface Outcome {
  readonly generation: Generation
  readonly reason: string
  readonly frame: Uint8Array
  /** The packet found the limit on connections near. */
  readonly pressed: boolean
}

export interface Scenario {
  readonly name: string
  readonly family: Family
  readonly flow: Flow
  readonly frame: Uint8Array
  /** What is done with its connection after each packet. */
  readonly ending: 'NONE' | 'DELETED' | 'TIME_WAIT'
  /** Connections that there seem to be before each packet. */
  readonly live: number
  readonly outcomes: readonly Outcome[]
}

/** Those of numbers of connections that tell the generations' limits apart, and one that does not. */
const LIVE = { few: 100, nearTheLimitOfA: 800, beyondTheLimitOfA: 1200 } as const
/** Clients of each kind, each with a port of its own. */
const CLIENTS = 3
const DEFAULT = { 4: '100.64.0.7', 6: 'fd64::7' } as const
const TRAILERS = { tcp: { 4: 26, 6: 6 }, udp: { 4: 38, 6: 18 } } as const

const DEVICE = 'client0'

/** The frame as XDP and tc redirect it: one hop less, to the next hop's MAC address. */
function redirected(destination: string): Extra {
  const route = longest(destination, world.routes, ({ prefix }) => prefix)
  const device = route?.device
  if (device === undefined || route?.nextHopMac === undefined) throw new Error(`no way to ${destination}`)
  return { macDestination: route.nextHopMac, macSource: world.devices[device]!.mac, ttl: 63 }
}

/** What becomes of a packet to one of `backends`: A always sends it on, B with XDP lets the stack do it. */
function forwarded(
  generation: Generation,
  hook: FlipHook,
  { flow, extra }: { readonly flow: Flow; readonly extra: Extra },
  backends: readonly Endpoint[],
  pressed: boolean,
): Outcome[] {
  const stack = hook === 'xdp' && generation === 'B'
  return backends.map(({ ip, port }) => {
    const way = stack ? {} : redirected(ip)
    return {
      generation,
      reason: stack ? 'LB_STACK_NO_XMIT' : 'LB_REDIRECT',
      frame: forwardFrame({ ...flow, destination: ip, destinationPort: port }, { ...extra, ...way }, DEVICE),
      pressed,
    }
  })
}

interface Start {
  readonly name: string
  readonly route: Route
  readonly client: string
  readonly protocol: L4
  readonly port: number
  readonly live: number
  readonly ending: Scenario['ending']
}

/** Each a packet that starts a connection. */
function starts(family: Family): Start[] {
  const base: Start = {
    name: 'to the default target',
    route: 'default',
    client: DEFAULT[family],
    protocol: 'tcp',
    port: PORTS.both,
    live: LIVE.nearTheLimitOfA,
    ending: 'DELETED',
  }
  const routed: Start = { ...base, name: 'by a source route', route: 'routed', client: ROUTED[family] }
  return [
    base,
    routed,
    { ...base, name: 'UDP to the default target', protocol: 'udp' },
    { ...routed, name: 'UDP by a source route', protocol: 'udp' },
    { ...base, name: 'in the place of one in TIME-WAIT', live: LIVE.few, ending: 'TIME_WAIT' },
    { ...routed, name: 'by a source route, in TIME-WAIT', live: LIVE.few, ending: 'TIME_WAIT' },
    { ...base, name: 'no target in A', route: 'refused', client: REFUSED[family] },
    { ...base, name: 'the limit of A reached', live: LIVE.beyondTheLimitOfA },
    { ...base, name: 'no listener in B', port: PORTS.A },
    { ...routed, name: 'no listener in A', port: PORTS.B },
  ]
}

function startOutcomes(
  generation: Generation,
  hook: FlipHook,
  family: Family,
  start: Start,
  packet: { readonly flow: Flow; readonly extra: Extra },
): Outcome[] {
  const stays = (reason: string): Outcome[] => [
    { generation, reason, frame: forwardFrame(packet.flow, packet.extra, DEVICE), pressed: false },
  ]
  if (start.port !== PORTS.both && start.port !== PORTS[generation]) return stays('LB_PASS_NO_LISTENER')
  const backends = backendsOf(generation, family, start.route)
  if (backends.length === 0) return stays('LB_DROP_NO_BACKEND')
  if (generation === 'A' && start.live === LIVE.beyondTheLimitOfA) return stays('LB_DROP_CONN_LIMIT')
  const pressed = generation === 'A' && start.live === LIVE.nearTheLimitOfA
  return forwarded(generation, hook, packet, backends, pressed)
}

/** `hook`: some outcomes differ between XDP and tc. */
export function startScenarios(hook: FlipHook, family: Family): Scenario[] {
  return starts(family).flatMap((start, kind) =>
    Array.from({ length: CLIENTS }, (_, client): Scenario => {
      const { name, protocol, port, ending, live } = start
      const extra = { flags: 'S', trailer: TRAILERS[protocol][family] }
      const flow: Flow = {
        protocol,
        source: start.client,
        sourcePort: 4000 + kind * CLIENTS + client,
        destination: VIP[family],
        destinationPort: port,
      }
      const frame = forwardFrame(flow, extra, DEVICE)
      const outcomes = (['A', 'B'] as const).flatMap((generation) =>
        startOutcomes(generation, hook, family, start, { flow, extra }),
      )
      return { name: `${name}, IPv${family}`, family, flow, frame, ending, live, outcomes }
    }),
  )
}

/** Connections that stay; what the generations do with their packets depends on `interfaces` alone. */
export function standingFlows(family: Family): Record<'forward' | 'reply' | 'lostReply', Flow> {
  const flow = (source: string, sourcePort: number): Flow => ({
    protocol: 'tcp',
    source,
    sourcePort,
    destination: VIP[family],
    destinationPort: PORTS.both,
  })
  return {
    forward: flow(DEFAULT[family], 5000),
    // A client behind `server0`, and one that no route leads to.
    reply: flow(family === 4 ? '10.2.0.9' : 'fd02::9', 5001),
    lostReply: flow(family === 4 ? '10.6.0.7' : 'fd06::7', 5002),
  }
}

/** `backendOf`: where a standing connection goes. */
export function standingScenarios(
  hook: FlipHook,
  family: Family,
  backendOf: (flow: Flow) => Endpoint,
): Scenario[] {
  const { forward, reply, lostReply } = standingFlows(family)
  const extra = { trailer: TRAILERS.tcp[family] }
  const listener = { ip: VIP[family], port: PORTS.both }
  const replyTo = (flow: Flow): Uint8Array => replyFrame(flow, backendOf(flow), extra, DEVICE)
  const restored = (flow: Flow, way: Extra = {}): Uint8Array =>
    replyFrame(flow, listener, { ...extra, ...way }, DEVICE)
  const scenario = (
    name: string,
    flow: Flow,
    frame: Uint8Array,
    outcomes: Scenario['outcomes'],
  ): Scenario => ({
    name: `${name}, IPv${family}`,
    family,
    flow,
    frame,
    ending: 'NONE',
    live: LIVE.few,
    outcomes,
  })
  const outcome = (generation: Generation, reason: string, frame: Uint8Array): Outcome => ({
    generation,
    reason,
    frame,
    pressed: false,
  })
  const lost = scenario('a reply that no route leads to', lostReply, replyTo(lostReply), [
    outcome('A', 'LB_STACK_UNREACHABLE', replyTo(lostReply)),
    outcome('B', 'LB_STACK_UNREACHABLE', restored(lostReply)),
  ])
  // tc sends both of the others on in either generation.
  if (hook === 'ingress') return [lost]
  const packet = { flow: forward, extra }
  return [
    lost,
    scenario(
      'in a connection that stays',
      forward,
      forwardFrame(forward, extra, DEVICE),
      (['A', 'B'] as const).flatMap((generation) =>
        forwarded(generation, hook, packet, [backendOf(forward)], false),
      ),
    ),
    scenario('a reply', reply, replyTo(reply), [
      outcome('A', 'LB_REDIRECT', restored(reply, redirected(reply.source))),
      outcome('B', 'LB_STACK_NO_XMIT', replyTo(reply)),
    ]),
  ]
}
