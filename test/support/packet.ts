/** Ethernet frames for tests: built from what matters, with every checksum valid. */
import { parseIp } from '../../src/engine/model/ip.ts'

export type L4 = 'tcp' | 'udp'

export interface PacketSpec {
  readonly protocol: L4
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  /** Of TCP: letters of SYN, ACK, FIN, RST, PSH. Default: ACK alone. */
  readonly flags?: string
  /** TTL or hop limit. */
  readonly ttl?: number
  /** Type of service or traffic class. */
  readonly tos?: number
  /** Bytes of options in the IPv4 header: a multiple of 4, at most 40. */
  readonly ipOptions?: number
  /** Numbers of extension headers behind the IPv6 header, each of 8 bytes. */
  readonly extensions?: readonly number[]
  /** Bytes of options in the TCP header. */
  readonly tcpOptions?: number
  /** The 16 bits of flags and offset in an IPv4 header. */
  readonly fragment?: number
  /** Bytes after the TCP or UDP header. */
  readonly payload?: number
  /** False: a UDP checksum of 0, which means none. */
  readonly udpChecksum?: boolean
  /** Bytes of the frame behind the packet. */
  readonly trailer?: number
  readonly macDestination?: string
  readonly macSource?: string
}

export const ETHERNET = 14
const FLAG_BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 }
export const PROTOCOL_NUMBERS: { readonly tcp: 6; readonly udp: 17 } = { tcp: 6, udp: 17 }

/** `SA`: the byte of flags in a TCP header. */
export function flagBits(letters: string): number {
  return Array.from(letters).reduce((bits, letter) => {
    const bit = FLAG_BITS[letter]
    if (bit === undefined) throw new Error(`no TCP flag ${letter}`)
    return bits | bit
  }, 0)
}

export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16))
}

/** 4 or 16 bytes of an address. */
export function ipBytes(text: string): Uint8Array {
  const bytes = parseIp(text)
  if (!bytes) throw new Error(`'${text}' is no address`)
  return text.includes(':') ? bytes : bytes.subarray(12)
}

/** The sum of 16-bit words that Internet checksums are made of, folded: 0 to 0xffff. */
export function onesSum(bytes: Uint8Array, start = 0): number {
  let sum = start
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return sum
}

/** The sum of the pseudo header that TCP and UDP checksums cover. */
export function pseudoSum(
  source: Uint8Array,
  destination: Uint8Array,
  proto: number,
  length: number,
): number {
  return onesSum(
    Uint8Array.of(0, proto, (length >> 8) & 0xff, length & 0xff),
    onesSum(source) + onesSum(destination),
  )
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value & 0xff
}

function tcpHeader(spec: PacketSpec): Uint8Array {
  const options = spec.tcpOptions ?? 0
  const header = new Uint8Array(20 + options)
  put16(header, 0, spec.sourcePort)
  put16(header, 2, spec.destinationPort)
  header.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88], 4)
  header[12] = ((20 + options) / 4) << 4
  header[13] = flagBits(spec.flags ?? 'A')
  put16(header, 14, 0xfaf0)
  header.fill(1, 20)
  return header
}

function udpHeader(spec: PacketSpec): Uint8Array {
  const header = new Uint8Array(8)
  put16(header, 0, spec.sourcePort)
  put16(header, 2, spec.destinationPort)
  put16(header, 4, 8 + (spec.payload ?? 0))
  return header
}

function segment(spec: PacketSpec): Uint8Array {
  const header = spec.protocol === 'tcp' ? tcpHeader(spec) : udpHeader(spec)
  const bytes = new Uint8Array(header.length + (spec.payload ?? 0))
  bytes.set(header)
  for (let i = header.length; i < bytes.length; i++) bytes[i] = (i * 7) & 0xff
  if (spec.udpChecksum === false) return bytes
  const start = pseudoSum(
    ipBytes(spec.source),
    ipBytes(spec.destination),
    PROTOCOL_NUMBERS[spec.protocol],
    bytes.length,
  )
  const check = onesSum(bytes, start) ^ 0xffff
  put16(bytes, spec.protocol === 'tcp' ? 16 : 6, spec.protocol === 'udp' && check === 0 ? 0xffff : check)
  return bytes
}

function ipv4Header(spec: PacketSpec, length: number): Uint8Array {
  const size = 20 + (spec.ipOptions ?? 0)
  const header = new Uint8Array(size)
  header[0] = 0x40 | (size / 4)
  header[1] = spec.tos ?? 0
  put16(header, 2, size + length)
  put16(header, 4, 0xbeef)
  put16(header, 6, spec.fragment ?? 0x4000)
  header[8] = spec.ttl ?? 64
  header[9] = PROTOCOL_NUMBERS[spec.protocol]
  header.set(ipBytes(spec.source), 12)
  header.set(ipBytes(spec.destination), 16)
  header.fill(1, 20)
  put16(header, 10, onesSum(header) ^ 0xffff)
  return header
}

function ipv6Header(spec: PacketSpec, length: number): Uint8Array {
  const extensions = spec.extensions ?? []
  const header = new Uint8Array(40 + 8 * extensions.length)
  const tos = spec.tos ?? 0
  header[0] = 0x60 | (tos >> 4)
  header[1] = (tos & 15) << 4
  put16(header, 4, 8 * extensions.length + length)
  header[7] = spec.ttl ?? 64
  header.set(ipBytes(spec.source), 8)
  header.set(ipBytes(spec.destination), 24)
  // Each names what follows it; all of them are 8 bytes long, which 0 stands for.
  for (const [i, next] of [...extensions, PROTOCOL_NUMBERS[spec.protocol]].entries()) {
    header[i === 0 ? 6 : 32 + 8 * i] = next
  }
  return header
}

/** The frame. */
export function buildPacket(spec: PacketSpec): Uint8Array {
  const body = segment(spec)
  const v6 = spec.source.includes(':')
  const header = v6 ? ipv6Header(spec, body.length) : ipv4Header(spec, body.length)
  const frame = new Uint8Array(ETHERNET + header.length + body.length + (spec.trailer ?? 0))
  frame.set(macBytes(spec.macDestination ?? '02:00:00:00:00:01'))
  frame.set(macBytes(spec.macSource ?? '02:00:00:00:00:02'), 6)
  put16(frame, 12, v6 ? 0x86dd : 0x0800)
  frame.set(header, ETHERNET)
  frame.set(body, ETHERNET + header.length)
  return frame
}

/** A copy of the frame with some bytes changed. */
export function patch(frame: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const copy = frame.slice()
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value
  return copy
}
