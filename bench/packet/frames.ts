/** The frames that are replayed. All have one length, so that restoring them costs the same. */
import { buildPacket } from '../../test/support/packet.ts'

export type Family = 'ipv4' | 'ipv6'
export type Direction = 'forward' | 'reverse'

export const FRAME_SIZE = 80

export interface Ends {
  readonly client: string
  readonly listener: string
  readonly backend: string
  readonly backendPort: number
}

/** The first client has the number 0 in the last four bytes of its address. */
export const ends: Readonly<Record<Family, Ends>> = {
  ipv4: { client: '100.64.0.0', listener: '203.0.113.10', backend: '10.0.0.11', backendPort: 8080 },
  ipv6: {
    client: '2001:db8:c1::1000:0',
    listener: '2001:db8:f::10',
    backend: '2001:db8:b0::b',
    backendPort: 8080,
  },
}

export const firstAddress: Readonly<Record<Family, number>> = { ipv4: 0x64400000, ipv6: 0x10000000 }

/** Where the last four bytes of the client's address, and its port, are in a frame. */
export const places: Readonly<
  Record<Family, Readonly<Record<Direction, { address: number; port: number }>>>
> = {
  ipv4: { forward: { address: 26, port: 34 }, reverse: { address: 30, port: 36 } },
  ipv6: { forward: { address: 34, port: 54 }, reverse: { address: 50, port: 56 } },
}

/** A TCP segment of the first client's connection to `port` of the listener, or its backend's reply. */
export function tcpFrame(
  family: Family,
  direction: Direction,
  { flags, port, mac }: { readonly flags: string; readonly port: number; readonly mac: string },
): Uint8Array {
  const { client, listener, backend, backendPort } = ends[family]
  const headers = family === 'ipv4' ? 54 : 74
  const fill = FRAME_SIZE - headers
  const sizes = flags === 'A' ? { payload: fill } : { trailer: fill }
  const addresses =
    direction === 'forward'
      ? { source: client, destination: listener, sourcePort: 1024, destinationPort: port }
      : { source: backend, destination: client, sourcePort: backendPort, destinationPort: 1024 }
  return buildPacket({ protocol: 'tcp', flags, macDestination: mac, ...addresses, ...sizes })
}

/** Something else than IP: an ARP request would do, any other EtherType does too. */
export function otherFrame(mac: string): Uint8Array {
  const frame = tcpFrame('ipv4', 'forward', { flags: 'A', port: 80, mac })
  frame.set([0x88, 0xb5], 12) // for local experiments: IEEE 802
  return frame
}
