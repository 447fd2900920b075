/** Frames of a connection, as its client and its backend send them. */
import { parseFrame } from '../../support/model-parse.ts'
import type { Endpoint, World } from '../../support/model.ts'
import { buildPacket, type L4, type PacketSpec } from '../../support/packet.ts'
import { world } from './network.ts'

/** A connection as its client sees it. */
export interface Flow {
  readonly protocol: L4
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
}

export type Extra = Omit<Partial<PacketSpec>, keyof Flow>

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

/** Where a frame goes to: to whom the data plane gave the packet. */
export function destinationOf(frame: Uint8Array): Endpoint | undefined {
  const parsed = parseFrame(frame, { tc: false, egress: true, ownMac: true })
  return typeof parsed === 'string' ? undefined : { ip: parsed.destination, port: parsed.destinationPort }
}
