/** What a frame is, read by the book: RFC 791, 8200, 9293, 768. Part of the model; see model.ts. */
import { formatIp } from '../../src/engine/model/ip.ts'
import { ETHERNET, onesSum, pseudoSum, type L4 } from './packet.ts'

export interface Parsed {
  readonly v6: boolean
  readonly protocol: L4
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  /** The byte of flags; 0 for UDP. */
  readonly flags: number
  readonly ttl: number
  /** Routers may cut it up: IPv4 without "don't fragment". */
  readonly mayFragment: boolean
  /** Bytes of layer 3. */
  readonly length: number
  /** Where the TCP or UDP header begins in the frame. */
  readonly l4: number
}

/** Where the data plane saw the frame. tc frames have been through the kernel's own Ethernet code. */
export interface Seen {
  readonly tc: boolean
  /** Whether the destination MAC address is the interface's own; tc ingress knows. */
  readonly ownMac: boolean
  readonly egress: boolean
}

/** Next headers that are not the payload but something before it. */
const IPV6_EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135])

/** The packet, or the name of the reason for which it is none of ours. */
export function parseFrame(frame: Uint8Array, seen: Seen): Parsed | string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const type = view.getUint16(12)
  const multicast = (frame[0]! & 1) !== 0
  if (seen.tc && !seen.egress && !seen.ownMac && !multicast) return 'LB_PASS_OTHER_HOST'
  if (multicast) return 'LB_PASS_NOT_UNICAST'
  if (type === 0x8100 || type === 0x88a8) return 'LB_PASS_VLAN'
  // Below 0x600 the field is a length, and the kernel's idea of the protocol another number.
  if (seen.tc && type < 0x600) return 'LB_PASS_NOT_ETHERNET'
  if (type === 0x0800) return parseIpv4(frame, view)
  if (type === 0x86dd) return parseIpv6(frame, view)
  return 'LB_PASS_NOT_IP'
}

function parseIpv4(frame: Uint8Array, view: DataView): Parsed | string {
  const left = frame.length - ETHERNET
  if (left < 20) return 'LB_PASS_SHORT_IPV4'
  const header = (frame[ETHERNET]! & 15) * 4
  const length = view.getUint16(ETHERNET + 2)
  if (frame[ETHERNET]! >> 4 !== 4) return 'LB_PASS_BAD_IPV4_VERSION'
  if (header < 20) return 'LB_PASS_BAD_IHL'
  if (length < header || length > left) return 'LB_PASS_BAD_IPV4_LENGTH'
  // More fragments follow, or this one has an offset.
  if ((view.getUint16(ETHERNET + 6) & 0x3fff) !== 0) return 'LB_PASS_IPV4_FRAGMENT'
  if (header > 20) return 'LB_PASS_IPV4_OPTIONS'
  return parseL4(frame, view, {
    v6: false,
    mayFragment: (view.getUint16(ETHERNET + 6) & 0x4000) === 0,
    source: frame.subarray(ETHERNET + 12, ETHERNET + 16).join('.'),
    destination: frame.subarray(ETHERNET + 16, ETHERNET + 20).join('.'),
    ttl: frame[ETHERNET + 8]!,
    next: frame[ETHERNET + 9]!,
    length,
    l4: ETHERNET + header,
  })
}

function parseIpv6(frame: Uint8Array, view: DataView): Parsed | string {
  const left = frame.length - ETHERNET
  if (left < 40) return 'LB_PASS_SHORT_IPV6'
  const length = 40 + view.getUint16(ETHERNET + 4)
  if (frame[ETHERNET]! >> 4 !== 6) return 'LB_PASS_BAD_IPV6_VERSION'
  if (length > left) return 'LB_PASS_BAD_IPV6_LENGTH'
  const next = frame[ETHERNET + 6]!
  if (IPV6_EXTENSIONS.has(next)) return 'LB_PASS_IPV6_EXTENSION'
  return parseL4(frame, view, {
    v6: true,
    mayFragment: false,
    source: formatIp(frame, ETHERNET + 8),
    destination: formatIp(frame, ETHERNET + 24),
    ttl: frame[ETHERNET + 7]!,
    next,
    length,
    l4: ETHERNET + 40,
  })
}

interface Layer3 extends Pick<
  Parsed,
  'v6' | 'source' | 'destination' | 'ttl' | 'mayFragment' | 'length' | 'l4'
> {
  readonly next: number
}

function parseL4(frame: Uint8Array, view: DataView, { next, ...ip }: Layer3): Parsed | string {
  const left = ETHERNET + ip.length - ip.l4
  if (next === 6) {
    if (left < 20) return 'LB_PASS_SHORT_TCP'
    const header = (frame[ip.l4 + 12]! >> 4) * 4
    if (header < 20 || header > left) return 'LB_PASS_BAD_TCP_OFFSET'
  } else if (next === 17) {
    if (left < 8) return 'LB_PASS_SHORT_UDP'
    const length = view.getUint16(ip.l4 + 4)
    if (length < 8 || length > left) return 'LB_PASS_BAD_UDP_LENGTH'
  } else {
    return 'LB_PASS_NOT_TCP_UDP'
  }
  return {
    ...ip,
    protocol: next === 6 ? 'tcp' : 'udp',
    sourcePort: view.getUint16(ip.l4),
    destinationPort: view.getUint16(ip.l4 + 2),
    flags: next === 6 ? frame[ip.l4 + 13]! : 0,
  }
}

export interface Residuals {
  /** 0 where the IPv4 header's checksum is right; for IPv6 always 0. */
  readonly header: number
  /** 0 where the TCP or UDP checksum is right, or the UDP one absent. */
  readonly l4: number
}

/** By how much checksums are off, modulo 0xffff: computed from all the bytes that they cover. */
export function residuals(frame: Uint8Array, parsed: Parsed): Residuals {
  const { v6, l4, length, protocol } = parsed
  const addresses = v6
    ? [frame.subarray(ETHERNET + 8, ETHERNET + 24), frame.subarray(ETHERNET + 24, ETHERNET + 40)]
    : [frame.subarray(ETHERNET + 12, ETHERNET + 16), frame.subarray(ETHERNET + 16, ETHERNET + 20)]
  const body = frame.subarray(l4, ETHERNET + length)
  const start = pseudoSum(addresses[0]!, addresses[1]!, protocol === 'tcp' ? 6 : 17, body.length)
  const absent = protocol === 'udp' && frame[l4 + 6] === 0 && frame[l4 + 7] === 0
  return {
    header: v6 ? 0 : onesSum(frame.subarray(ETHERNET, l4)) % 0xffff,
    l4: absent ? 0 : onesSum(body, start) % 0xffff,
  }
}
