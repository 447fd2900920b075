/**
 * IP addresses as text and as the 16 bytes that maps hold: IPv6, or IPv4 mapped to ::ffff:a.b.c.d
 * (RFC 4291, section 2.5.5.2). Text is canonical: dotted quads, and IPv6 as in RFC 5952.
 */
import type { Family } from './snapshot.ts'

const DOT = 0x2e
const DIGIT_0 = 0x30

/** The 16 bytes of an address, or `undefined` where the text is none. No zone, no leading zeros in IPv4. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/**
 * An IPv4 address as a number; `undefined` where the text is none. Character by character and without an object:
 * for large configurations and maps this is the innermost loop.
 */
export function ipv4Number(text: string): number | undefined {
  let address = 0
  let parts = 0
  let part = -1
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT
    if (code === DOT) {
      if (part === -1 || parts === 4) return undefined
      address = address * 256 + part
      parts++
      part = -1
    } else {
      const digit = code - DIGIT_0
      if (digit < 0 || digit > 9 || part === 0) return undefined
      part = part === -1 ? digit : 10 * part + digit
      if (part > 255) return undefined
    }
  }
  return parts === 4 ? address : undefined
}

function parseIpv4(text: string): Uint8Array | undefined {
  const address = ipv4Number(text)
  if (address === undefined) return undefined
  const bytes = new Uint8Array(16)
  bytes[10] = 0xff
  bytes[11] = 0xff
  for (let i = 0; i < 4; i++) bytes[12 + i] = address >>> (24 - 8 * i)
  return bytes
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const bytes = new Uint8Array(16)
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  for (const [i, group] of groups.entries()) {
    bytes[2 * i] = group >> 8
    bytes[2 * i + 1] = group & 0xff
  }
  return bytes
}

/** 16-bit groups of a colon-separated half; the last part may be a dotted quad where `quad` allows it. */
function parseGroups(text: string, quad: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (quad && i === parts.length - 1 && part.includes('.')) {
      const bytes = parseIpv4(part)
      if (!bytes) return undefined
      groups.push((bytes[12]! << 8) | bytes[13]!, (bytes[14]! << 8) | bytes[15]!)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

/** Whether 16 bytes hold a mapped IPv4 address. */
export function isMapped(bytes: Uint8Array, at = 0): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff
}

/** Canonical text of 16 bytes at `at`. */
export function formatIp(bytes: Uint8Array, at = 0): string {
  if (isMapped(bytes, at)) {
    return `${bytes[at + 12]!}.${bytes[at + 13]!}.${bytes[at + 14]!}.${bytes[at + 15]!}`
  }
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!)
  const { start, length } = longestZeroRun(groups)
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return length < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`
}

/** The first of the longest runs of zero groups: RFC 5952, section 4.2.3. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue
    if (i - start > best.length) best = { start, length: i - start }
    start = i + 1
  }
  return best
}

/** `10.0.0.1:8080`, `[2001:db8::1]:8080`. */
export function formatEndpoint(ip: string, port: number): string {
  return familyOf(ip) === 'ipv6' ? `[${ip}]:${port}` : `${ip}:${port}`
}

export interface Prefix {
  /** 16 bytes, host bits as given. */
  readonly bytes: Uint8Array
  /** Bits that count within the family: 0 to 32, or 0 to 128. */
  readonly length: number
  readonly family: Family
}

/** An address or CIDR; a bare address is its own /32 or /128. */
export function parsePrefix(text: string): Prefix | undefined {
  const [ip = '', bits, ...rest] = text.split('/')
  const bytes = parseIp(ip)
  if (!bytes || rest.length > 0) return undefined
  const family = familyOf(ip)
  const max = family === 'ipv4' ? 32 : 128
  if (bits !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return undefined
  const length = bits === undefined ? max : Number(bits)
  return length <= max ? { bytes, length, family } : undefined
}

/** Leading bits of the 16 bytes that a prefix of `length` bits of `family` fixes. */
export function mappedLength(family: Family, length: number): number {
  return family === 'ipv4' ? 96 + length : length
}

/** Canonical CIDR: host bits cleared; that of mapped addresses is the IPv4 one. */
export function formatPrefix({ bytes, length, family }: Prefix): string {
  const bits = mappedLength(family, length)
  const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))))
  return `${formatIp(masked)}/${isMapped(masked) ? bits - 96 : bits}`
}
