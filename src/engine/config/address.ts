/** Addresses and networks as people write them: canonical text, or what is wrong with the one given. */
import {
  familyOf,
  formatIp,
  formatPrefix,
  ipv4Number,
  isMapped,
  parseIp,
  parsePrefix,
  type Prefix,
} from '../model/ip.ts'
import type { Family } from '../model/snapshot.ts'
import { isHostname, readHostname } from './hostname.ts'
import type { Fault, Parsed } from './parsed.ts'

/** What an address is for, as far as it matters here. */
export type AddressKind = 'unicast' | 'any' | 'loopback' | 'link-local' | 'multicast' | 'broadcast'

export interface Address {
  /** Canonical. */
  readonly text: string
  readonly family: Family
  readonly kind: AddressKind
}

export interface Network {
  /** Canonical CIDR. */
  readonly text: string
  readonly family: Family
  readonly prefix: Prefix
  /** Bits after the prefix are set in what was written. */
  readonly hostBits: boolean
}

export function readAddress(text: string): Parsed<Address> {
  // Of IPv4 only canonical text is an address.
  const address = ipv4Number(text)
  if (address !== undefined) return { value: { text, family: 'ipv4', kind: kindOfIpv4(address) } }
  const bytes = parseIp(text)
  if (bytes === undefined) return { fault: addressFault(text) }
  if (isMapped(bytes)) {
    const message = `\`${text}\` is an IPv4 address in the form of an IPv6 one`
    return { fault: { message, hint: `Write \`${formatIp(bytes)}\`.` } }
  }
  return { value: { text: formatIp(bytes), family: 'ipv6', kind: kindOfIpv6(bytes) } }
}

/** The same, of a target, which may have a name instead. */
export function readTargetAddress(text: string): Parsed<Address> {
  const parsed = readAddress(text)
  if ('value' in parsed || !isHostname(text.toLowerCase())) return parsed
  return { fault: { message: parsed.fault.message, hint: 'A name has a key of its own: `host`.' } }
}

export function readNetwork(text: string): Parsed<Network> {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return { fault: networkFault(text) }
  if (prefix.family === 'ipv6' && isMapped(prefix.bytes)) {
    return { fault: { message: `\`${text}\` is an IPv4 network in the form of an IPv6 one` } }
  }
  const { family } = prefix
  const canonical = formatPrefix(prefix)
  const hostBits = canonical !== text && !canonical.startsWith(`${formatIp(prefix.bytes)}/`)
  return { value: { text: canonical, family, prefix, hostBits } }
}

function kindOfIpv4(address: number): AddressKind {
  const first = address >>> 24
  if (first === 127) return 'loopback'
  if (address >>> 16 === 0xa9fe) return 'link-local'
  if (first >= 224 && first < 240) return 'multicast'
  if (address === 0) return 'any'
  return address === 0xffffffff ? 'broadcast' : 'unicast'
}

function kindOfIpv6(bytes: Uint8Array): AddressKind {
  if (bytes[0] === 0xff) return 'multicast'
  if (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80) return 'link-local'
  if (bytes.subarray(0, 15).some((byte) => byte !== 0)) return 'unicast'
  return bytes[15] === 0 ? 'any' : bytes[15] === 1 ? 'loopback' : 'unicast'
}

function addressFault(text: string): Fault {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
  const message = `\`${shown}\` is not an IP address`
  if (text.includes('/'))
    return { message, hint: `Leave out the prefix length: \`${shown.split('/')[0] ?? ''}\`.` }
  if (text.includes('%')) return { message, hint: 'An address has no zone here.' }
  if (/^\[.*\]$/.test(text)) return { message, hint: 'Leave out the brackets.' }
  if (/^[0-9.]+:[0-9]+$/.test(text)) return { message, hint: 'The port has a key of its own: `port`.' }
  if (/^[0-9.]+$/.test(text)) return { message, hint: quadHint(text) }
  if (/[g-zG-Z]/.test(text)) return { message, hint: 'Names are not looked up here: write the address.' }
  return { message }
}

function quadHint(text: string): string {
  const parts = text.split('.')
  if (parts.length !== 4) return 'An IPv4 address has four numbers, separated by dots.'
  const large = parts.find((part) => Number(part) > 255)
  if (large !== undefined) return `${large} is more than 255.`
  if (parts.includes('')) return 'A number is missing between two dots.'
  return 'Leave out the leading zeros: some programs take them for octal numbers.'
}

function networkFault(text: string): Fault {
  const [ip = '', length] = text.split('/')
  const bytes = parseIp(ip)
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
  if (bytes === undefined) {
    const hint = sourceHint(ip)
    return {
      message: `\`${shown}\` is neither a network nor an address nor a hostname`,
      ...(hint === undefined ? {} : { hint }),
    }
  }
  const max = familyOf(ip) === 'ipv4' ? 32 : 128
  const example = `${ip}/${max === 32 ? 24 : 64}`
  const message = `\`/${(length ?? '').slice(0, 20)}\` is not a prefix length`
  return { message, hint: `It is a number from 0 to ${max}, as in \`${example}\`.` }
}

/** What is neither an address nor a name was meant to be one of the two. */
function sourceHint(text: string): string | undefined {
  const isName = /[g-z*]/i.test(text) && !text.includes('%')
  const parsed = isName ? readHostname(text) : { fault: addressFault(text) }
  return 'fault' in parsed ? parsed.fault.hint : undefined
}
