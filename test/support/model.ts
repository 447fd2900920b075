/**
 * The data plane as documentation has it, in a form that can be asked: a frame and a configuration
 * in, the packet's fate out. Written from docs, not from the C, and with other means: connections are
 * a list, routes are searched one by one. Where the data plane chooses at random, the model says what
 * it may choose, and goes on with what it did choose.
 */
import { isEnding, isOver, makesRoom, newsOf, nextState, startsTcp, type Direction } from './model-tcp.ts'
import { parseFrame, type Parsed } from './model-parse.ts'
import { hasEgress, longest, wayOut, type Device, type Hook, type World } from './model-route.ts'
import { NO_TALLY } from './model-types.ts'
import type { Configuration, Connection, Endpoint, Fate, Listener, Model, Tally } from './model-types.ts'
import type { L4 } from './packet.ts'

export type { Attached, Hook, World } from './model-route.ts'
export { NO_TALLY } from './model-types.ts'
export type * from './model-types.ts'

const same = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port
const pass = (reason: string): Fate => ({ verdict: 'pass', reason })
const drop = (reason: string): Fate => ({ verdict: 'drop', reason })

export function backendName(backend: Endpoint, protocol: L4): string {
  return backend.ip.includes(':')
    ? `[${backend.ip}]:${backend.port}/${protocol}`
    : `${backend.ip}:${backend.port}/${protocol}`
}

export function createModel(initial: Configuration | undefined, world: World): Model {
  let configuration = initial
  const connections: Connection[] = []
  const tallies = new Map<string, Tally>()

  function tally(connection: Connection): Tally {
    const name = backendName(connection.backend, connection.protocol)
    const found = tallies.get(name) ?? { ...NO_TALLY }
    tallies.set(name, found)
    return found
  }

  /** The host, with its interfaces as the configuration knows them. */
  function worldNow(): World {
    const devices: Record<string, Device> = { ...world.devices }
    for (const [name, attached] of Object.entries(configuration?.interfaces ?? {})) {
      devices[name] = { ...devices[name]!, ...attached }
    }
    return { ...world, devices }
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
  function open(
    packet: Parsed,
    device: string,
    chosen: Endpoint | undefined,
    evicted: () => readonly Connection[],
  ): Connection | Fate {
    const listener = listenerOf(packet, device)
    if (!listener) return pass('LB_PASS_NO_LISTENER')
    const route = longest(packet.source, listener.routes ?? [], ({ source }) => source)
    const run = configuration!.groups[route?.group ?? listener.group]!
    if (run.length === 0) return drop('LB_DROP_NO_BACKEND')
    const old = find(packet)
    if (old) close(old.connection)
    if (connections.length >= (configuration!.maxConnections ?? Infinity)) {
      const [gone, ...others] = evicted()
      if (!gone || others.length > 0 || !makesRoom(gone.state)) return drop('LB_DROP_CONN_LIMIT')
      // The client has asked again in vain.
      if (gone.state === 'SYN' && gone.packets.client > 1) tally(gone).timedOut += 1
      close(gone)
    }
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
    if (!isOver(connection.state)) tally(connection).ended += 1
  }

  /** A packet of a known connection. */
  function follow(
    packet: Parsed,
    connection: Connection,
    direction: Direction,
    hook: Hook,
    device: string,
  ): Fate {
    const client = direction === 'client'
    const destination = client ? connection.backend.ip : packet.destination
    const here = worldNow()
    const way =
      hook === 'egress'
        ? { reason: 'LB_STACK_EGRESS', device }
        : wayOut(packet, destination, hook, device, here)
    const before = connection.state
    connection.state = nextState(before, direction, packet.flags)
    for (const news of newsOf(before, connection.state, direction)) tally(connection)[news] += 1
    // A reply that the stack has to send is left for egress to restore and count, but not where the
    // stack is going to cut it into fragments, which nobody translates.
    const later = !client && !way.hop && hook !== 'egress' && hasEgress(here.devices[way.device]!)
    if (later && !(way.reason === 'LB_STACK_TOO_BIG' && packet.mayFragment)) return pass(way.reason)
    connection.packets[direction] += 1
    connection.bytes[direction] += packet.length
    const counted = tally(connection)
    counted[client ? 'packetsForward' : 'packetsReverse'] += 1
    counted[client ? 'bytesForward' : 'bytesReverse'] += packet.length
    const rewrite = client
      ? ({ end: 'destination', to: connection.backend } as const)
      : ({ end: 'source', to: connection.listener } as const)
    return {
      verdict: way.hop ? 'redirect' : 'pass',
      reason: way.reason,
      rewrite,
      ...(way.hop && { hop: way.hop }),
    }
  }

  function step(
    frame: Uint8Array,
    hook: Hook,
    device: string,
    chosen: Endpoint | undefined,
    evicted: () => readonly Connection[] = () => [],
  ): Fate {
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
      const opened = open(packet, device, chosen, evicted)
      if ('verdict' in opened) return opened
      found = { connection: opened, direction: 'client' }
    }
    return follow(packet, found.connection, found.direction, hook, device)
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
