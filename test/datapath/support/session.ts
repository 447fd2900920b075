/** A data plane and the model of it, fed the same frames. */
import { expect } from 'vitest'
import { parseFrame } from '../../support/model-parse.ts'
import { differences, type Observed } from '../../support/model-compare.ts'
import {
  backendName,
  createModel,
  type Configuration,
  type Endpoint,
  type Fate,
  type Hook,
  type Model,
  type World,
} from '../../support/model.ts'
import { buildPacket, type L4, type PacketSpec } from '../../support/packet.ts'
import type { Dataplane } from './dataplane.ts'
import { world } from './network.ts'
import type { ConnectionRow } from './records.ts'
import { backendRows, makeTables, type Timeouts } from './tables.ts'

/** A connection as its client sees it. */
export interface Flow {
  readonly protocol: L4
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
}

export type Extra = Omit<Partial<PacketSpec>, keyof Flow>

export interface Session {
  readonly model: Model
  readonly configuration: Configuration
  /** Runs a frame; fails unless the model agrees with all that became of it. */
  send(hook: Hook, frame: Uint8Array, device: string): Promise<Outcome>
  /** From the client, by `client0`. */
  forward(hook: Hook, flow: Flow, extra?: Extra, device?: string): Promise<Outcome>
  /** From the flow's backend: by `server0`, and out by `client0` at egress. */
  reply(hook: Hook, flow: Flow, extra?: Extra): Promise<Outcome>
  connection(flow: Flow): Model['connections'][number] | undefined
  /** Fails unless the tables hold the model's connections and the counters its tallies. */
  verify(): void
  activate(configuration: Configuration, slot: number): void
}

export interface Outcome {
  readonly fate: Fate
  readonly observed: Observed
}

export function startSession(plane: Dataplane, configuration: Configuration, timeouts?: Timeouts): Session {
  plane.configure(configuration, timeouts)
  const model = createModel(configuration, world)

  async function send(hook: Hook, frame: Uint8Array, device: string): Promise<Outcome> {
    const [observed] = await plane.run(hook, [{ data: frame, device }])
    const fate = model.step(frame, hook, device, destinationOf(observed!.data))
    const name = Buffer.from(frame.subarray(0, 94)).toString('hex')
    expect(differences(frame, fate, observed!), name).toEqual([])
    return { fate, observed: observed! }
  }

  const connection: Session['connection'] = (flow) =>
    model.connections.find(
      (c) =>
        c.protocol === flow.protocol &&
        same(c.client, { ip: flow.source, port: flow.sourcePort }) &&
        same(c.listener, { ip: flow.destination, port: flow.destinationPort }),
    )

  return {
    model,
    configuration,
    send,
    connection,
    forward: (hook, flow, extra = {}, device = 'client0') =>
      send(hook, forwardFrame(flow, extra, device), device),
    reply(hook, flow, extra = {}) {
      const found = connection(flow)
      if (!found) throw new Error('no such connection')
      const device = hook === 'egress' ? 'client0' : 'server0'
      return send(hook, replyFrame(flow, found.backend, extra, device), device)
    },
    verify: () => verify(plane, model, configuration),
    activate(next, slot) {
      plane.fill(slot, makeTables(next, world, plane.devices, timeouts))
      plane.activate(slot)
      model.configure(next)
    },
  }
}

const same = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port

export function forwardFrame(flow: Flow, extra: Extra, device = 'client0', where: World = world): Uint8Array {
  return buildPacket({ macDestination: where.devices[device]!.mac, ...flow, ...extra })
}

export function replyFrame(flow: Flow, backend: Endpoint, extra: Extra, device = 'server0'): Uint8Array {
  return buildPacket({
    macDestination: world.devices[device]!.mac,
    ...extra,
    protocol: flow.protocol,
    source: backend.ip,
    sourcePort: backend.port,
    destination: flow.source,
    destinationPort: flow.sourcePort,
  })
}

function destinationOf(frame: Uint8Array): Endpoint | undefined {
  const parsed = parseFrame(frame, { tc: false, egress: true, ownMac: true })
  return typeof parsed === 'string' ? undefined : { ip: parsed.destination, port: parsed.destinationPort }
}

const PROTOCOLS = { tcp: 6, udp: 17 } as const

/** What both halves of a connection must hold, as text that reads well in a failure. */
function halves(model: Model, rowOf: ReadonlyMap<string, number>): string[] {
  return model.connections.flatMap((c) => {
    const shared = {
      protocol: PROTOCOLS[c.protocol],
      state: c.state,
      stats: rowOf.get(backendName(c.backend, c.protocol)),
    }
    return [
      half({
        ...shared,
        source: c.client,
        destination: c.listener,
        nat: c.backend,
        reverse: false,
        packets: c.packets.client,
        bytes: c.bytes.client,
      }),
      half({
        ...shared,
        source: c.backend,
        destination: c.client,
        nat: c.listener,
        reverse: true,
        packets: c.packets.backend,
        bytes: c.bytes.backend,
      }),
    ]
  })
}

type Half = Omit<ConnectionRow, 'family' | 'lastSeen' | 'stats'> & { readonly stats: number | undefined }

function half(row: Half): string {
  const end = ({ ip, port }: Endpoint): string => `${ip} ${port}`
  return `${end(row.source)} > ${end(row.destination)} proto ${row.protocol}: ${row.reverse ? 'reverse' : 'forward'} ${end(row.nat)} ${row.state} packets ${row.packets} bytes ${row.bytes} stats ${row.stats}`
}

function verify(plane: Dataplane, model: Model, configuration: Configuration): void {
  const backends = backendRows(configuration)
  const rowOf = new Map(backends.map((backend, row) => [backendName(backend, backend.protocol), row]))
  expect(plane.connections().map(half).sort()).toEqual(halves(model, rowOf).sort())
  for (const [name, row] of rowOf) {
    const { opened, closed } = plane.counters(row)
    expect({ name, opened, closed }).toEqual({
      name,
      ...(model.tallies.get(name) ?? { opened: 0, closed: 0 }),
    })
  }
}
