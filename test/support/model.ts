/**
 * The data plane as documentation has it, in a form that can be asked: a frame and a configuration
 * in, the packet's fate out. Written from docs, not from the C, and with other means: connections are
 * a list, routes are searched one by one. Where the data plane chooses at random, the model says what
 * it may choose, and goes on with what it did choose.
 */
import { mappedLength, parseIp, parsePrefix } from '../../src/engine/model/ip.ts'
import { nextState, isEnding, startsTcp, type ConnState, type Direction } from './model-tcp.ts'
import { parseFrame, type Parsed } from './model-parse.ts'
import type { L4 } from './packet.ts'

export type Hook = 'xdp' | 'ingress' | 'egress'
export type Verdict = 'pass' | 'drop' | 'redirect'

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

export interface Listener {
  readonly device: string
  /** `0.0.0.0` or `::` for any address. */
  readonly address: string
  readonly port: number
  readonly protocol: L4
  readonly group: string
  readonly routes?: readonly { readonly source: string; readonly group: string }[]
}

export interface Configuration {
  readonly listeners: readonly Listener[]
  /** A group's run: the entries that are chosen from with equal chance. */
  readonly groups: Readonly<Record<string, readonly Endpoint[]>>
}

/** How the host routes packets to a prefix. */
export interface Route {
  readonly prefix: string
  /** Where nothing else is said, packets are sent on through `device`. */
  readonly reason?: string
  readonly device?: string
  readonly nextHopMac?: string
  readonly mtu?: number
}

export interface Device {
  readonly mac: string
  /** XDP can send frames through it. */
  readonly xdpXmit: boolean
  /** Packets that came in by it may be sent on. */
  readonly forwarding: boolean
}

export interface World {
  readonly devices: Readonly<Record<string, Device>>
  readonly routes: readonly Route[]
}

export interface Connection {
  readonly protocol: L4
  readonly client: Endpoint
  readonly listener: Endpoint
  readonly backend: Endpoint
  state: ConnState
  readonly packets: Record<Direction, number>
  readonly bytes: Record<Direction, number>
}

export interface Fate {
  readonly verdict: Verdict
  readonly reason: string
  /** What the packet's destination (from a client) or source (from a backend) becomes. */
  readonly rewrite?: { readonly end: 'source' | 'destination'; readonly to: Endpoint }
  /** New MAC addresses and one hop less. */
  readonly hop?: { readonly device: string; readonly destination: string; readonly source: string }
}

export interface Tally {
  opened: number
  closed: number
}

export interface Model {
  readonly connections: readonly Connection[]
  /** Per backend: `10.0.0.1:8080/tcp`. */
  readonly tallies: ReadonlyMap<string, Tally>
  /** `chosen`: where the data plane sent the packet, for when it starts a connection. */
  step(frame: Uint8Array, hook: Hook, device: string, chosen: Endpoint | undefined): Fate
  /** Another configuration from now on; `undefined`: none. Connections stay. */
  configure(next: Configuration | undefined): void
}

const same = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port
const pass = (reason: string): Fate => ({ verdict: 'pass', reason })
const drop = (reason: string): Fate => ({ verdict: 'drop', reason })

export function backendName(backend: Endpoint, protocol: L4): string {
  return backend.ip.includes(':')
    ? `[${backend.ip}]:${backend.port}/${protocol}`
    : `${backend.ip}:${backend.port}/${protocol}`
}

/** Whether the first `length` bits of two addresses are the same; of different families: no. */
function matches(ip: string, prefix: string): number {
  const wanted = parsePrefix(prefix)!
  if (ip.includes(':') !== (wanted.family === 'ipv6')) return -1
  const bits = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const length = mappedLength(wanted.family, wanted.length)
  return bits(parseIp(ip)!).slice(0, length) === bits(wanted.bytes).slice(0, length) ? length : -1
}

/** The entry with the longest prefix that contains the address. */
function longest<T>(ip: string, entries: readonly T[], prefixOf: (entry: T) => string): T | undefined {
  let best: { readonly entry: T; readonly length: number } | undefined
  for (const entry of entries) {
    const length = matches(ip, prefixOf(entry))
    if (length >= 0 && length > (best?.length ?? -1)) best = { entry, length }
  }
  return best?.entry
}

export function createModel(initial: Configuration | undefined, world: World): Model {
  let configuration = initial
  const connections: Connection[] = []
  const tallies = new Map<string, Tally>()

  function tally(connection: Connection): Tally {
    const name = backendName(connection.backend, connection.protocol)
    const found = tallies.get(name) ?? { opened: 0, closed: 0 }
    tallies.set(name, found)
    return found
  }

  function find(packet: Parsed): { connection: Connection; direction: Direction } | undefined {
    const source = { ip: packet.source, port: packet.sourcePort }
    const destination = { ip: packet.destination, port: packet.destinationPort }
    for (const connection of connections) {
      if (connection.protocol !== packet.protocol) continue
      if (same(connection.client, source) && same(connection.listener, destination)) {
        return { connection, direction: 'client' }
      }
      if (same(connection.backend, source) && same(connection.client, destination)) {
        return { connection, direction: 'backend' }
      }
    }
    return undefined
  }

  function listenerOf(packet: Parsed, device: string): Listener | undefined {
    const candidates = configuration!.listeners.filter(
      (l) => l.device === device && l.port === packet.destinationPort && l.protocol === packet.protocol,
    )
    return (
      candidates.find((l) => l.address === packet.destination) ??
      candidates.find((l) => l.address === (packet.v6 ? '::' : '0.0.0.0'))
    )
  }

  /** A new connection, or why there is none. */
  function open(packet: Parsed, device: string, chosen: Endpoint | undefined): Connection | Fate {
    const listener = listenerOf(packet, device)
    if (!listener) return pass('LB_PASS_NO_LISTENER')
    const route = longest(packet.source, listener.routes ?? [], ({ source }) => source)
    const run = configuration!.groups[route?.group ?? listener.group]!
    if (run.length === 0) return drop('LB_DROP_NO_BACKEND')
    const old = find(packet)
    if (old) close(old.connection)
    const client = { ip: packet.source, port: packet.sourcePort }
    // Two connections of one client address and port cannot go to one backend: replies would be mixed up.
    const free = run.filter(
      (backend) =>
        !connections.some(
          (c) => c.protocol === packet.protocol && same(c.client, client) && same(c.backend, backend),
        ),
    )
    if (free.length === 0) return drop('LB_DROP_TUPLE_CONFLICT')
    const connection: Connection = {
      protocol: packet.protocol,
      client,
      listener: { ip: packet.destination, port: packet.destinationPort },
      backend: free.find((backend) => chosen && same(backend, chosen)) ?? free[0]!,
      state: packet.protocol === 'tcp' ? 'SYN' : 'UDP_ONEWAY',
      packets: { client: 0, backend: 0 },
      bytes: { client: 0, backend: 0 },
    }
    connections.push(connection)
    tally(connection).opened += 1
    return connection
  }

  function close(connection: Connection): void {
    connections.splice(connections.indexOf(connection), 1)
    tally(connection).closed += 1
  }

  /** The packet that leaves: whether it is sent on here, or the stack has to. */
  function forward(packet: Parsed, rewrite: NonNullable<Fate['rewrite']>, hook: Hook, device: string): Fate {
    const stack = (reason: string): Fate => ({ verdict: 'pass', reason, rewrite })
    if (hook === 'egress') return stack('LB_STACK_EGRESS')
    if (packet.ttl <= 1) return stack('LB_STACK_TTL')
    if (!world.devices[device]!.forwarding) return stack('LB_STACK_FORWARDING_OFF')
    const destination = rewrite.end === 'destination' ? rewrite.to.ip : packet.destination
    const route = longest(destination, world.routes, ({ prefix }) => prefix)
    if (!route) return stack('LB_STACK_NOT_FORWARDED')
    if (route.reason !== undefined && !route.device) return stack(route.reason)
    if (packet.length > (route.mtu ?? 1500)) return stack('LB_STACK_TOO_BIG')
    if (route.reason !== undefined) return stack(route.reason)
    const out = world.devices[route.device!]!
    if (hook === 'xdp' && !out.xdpXmit) return stack('LB_STACK_NO_XMIT')
    return {
      verdict: 'redirect',
      reason: 'LB_REDIRECT',
      rewrite,
      hop: { device: route.device!, destination: route.nextHopMac!, source: out.mac },
    }
  }

  function step(frame: Uint8Array, hook: Hook, device: string, chosen: Endpoint | undefined): Fate {
    if (!configuration) return pass('LB_PASS_NO_GENERATION')
    const packet = parseFrame(frame, {
      tc: hook !== 'xdp',
      egress: hook === 'egress',
      ownMac:
        [...frame.subarray(0, 6)].map((b) => b.toString(16).padStart(2, '0')).join(':') ===
        world.devices[device]!.mac,
    })
    if (typeof packet === 'string') return pass(packet)
    let found = find(packet)
    if (hook === 'egress' && found?.direction !== 'backend') return pass('LB_PASS_EGRESS_OTHER')
    const start = packet.protocol === 'udp' || startsTcp(packet.flags)
    const over =
      found?.direction === 'client' && packet.protocol === 'tcp' && start && isEnding(found.connection.state)
    if (!found || over) {
      if (!start) return pass('LB_PASS_NO_CONNECTION')
      const opened = open(packet, device, chosen)
      if ('verdict' in opened) return opened
      found = { connection: opened, direction: 'client' }
    }
    const { connection, direction } = found
    connection.packets[direction] += 1
    connection.bytes[direction] += packet.length
    connection.state = nextState(connection.state, direction, packet.flags)
    const rewrite =
      direction === 'client'
        ? ({ end: 'destination', to: connection.backend } as const)
        : ({ end: 'source', to: connection.listener } as const)
    return forward(packet, rewrite, hook, device)
  }

  return {
    connections,
    tallies,
    step,
    configure(next) {
      configuration = next
    },
  }
}
