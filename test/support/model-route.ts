/** How the host would send a packet on. Part of the model; see model.ts. */
import { mappedLength, parseIp, parsePrefix, type Prefix } from '../../src/engine/model/ip.ts'
import type { Parsed } from './model-parse.ts'

export type Hook = 'xdp' | 'ingress' | 'egress'

/** How the host routes packets to a prefix. */
export interface Route {
  readonly prefix: string
  /** Where nothing else is said, packets are sent on through `device`. */
  readonly reason?: string
  readonly device?: string
  readonly nextHopMac?: string
  readonly mtu?: number
}

/** What a generation knows of an interface; `absent`: nothing. */
export interface Attached {
  readonly attach: 'xdp' | 'xdp-generic' | 'tcx' | 'none' | 'absent'
  /** Its driver sends frames that XDP redirects to it. */
  readonly xdpXmit: boolean
}

export interface Device extends Attached {
  readonly mac: string
  /** Packets that came in by it may be sent on. */
  readonly forwarding: boolean
}

/** Whether a program at its egress restores what the stack sends. */
export function hasEgress({ attach }: Attached): boolean {
  return attach !== 'none' && attach !== 'absent'
}

export interface World {
  readonly devices: Readonly<Record<string, Device>>
  readonly routes: readonly Route[]
}

export interface Hop {
  readonly device: string
  /** MAC addresses. */
  readonly destination: string
  readonly source: string
}

/** Sent on to `hop`, or left to the stack. */
export interface Way {
  readonly reason: string
  /** Through which the stack will send it, as far as that is known; where it came in by otherwise. */
  readonly device: string
  readonly hop?: Hop
}

const prefixes = new Map<string, Prefix>()

function prefixOf(text: string): Prefix {
  const known = prefixes.get(text) ?? parsePrefix(text)!
  prefixes.set(text, known)
  return known
}

/** The length of a prefix that contains the address, -1 for one that does not, or of the other family. */
function matches(address: Uint8Array, v6: boolean, text: string): number {
  const prefix = prefixOf(text)
  if (v6 !== (prefix.family === 'ipv6')) return -1
  const length = mappedLength(prefix.family, prefix.length)
  const differing = address.findIndex((byte, i) => byte !== prefix.bytes[i])
  if (differing < 0) return length
  const equalBits = 8 * differing + Math.clz32(address[differing]! ^ prefix.bytes[differing]!) - 24
  return equalBits >= length ? length : -1
}

/** The entry with the longest prefix that contains the address. */
export function longest<T>(ip: string, entries: readonly T[], textOf: (entry: T) => string): T | undefined {
  const address = parseIp(ip)!
  const v6 = ip.includes(':')
  let best: { readonly entry: T; readonly length: number } | undefined
  for (const entry of entries) {
    const length = matches(address, v6, textOf(entry))
    if (length >= 0 && length > (best?.length ?? -1)) best = { entry, length }
  }
  return best?.entry
}

/** The way of a packet that is about to have this destination. */
export function wayOut(packet: Parsed, destination: string, hook: Hook, device: string, world: World): Way {
  if (packet.ttl <= 1) return { reason: 'LB_STACK_TTL', device }
  if (!world.devices[device]!.forwarding) return { reason: 'LB_STACK_FORWARDING_OFF', device }
  const route = longest(destination, world.routes, ({ prefix }) => prefix)
  if (!route) return { reason: 'LB_STACK_NOT_FORWARDED', device }
  if (route.reason !== undefined && route.device === undefined) return { reason: route.reason, device }
  if (packet.length > (route.mtu ?? 1500)) return { reason: 'LB_STACK_TOO_BIG', device }
  const through = route.device!
  if (route.reason !== undefined) return { reason: route.reason, device: through }
  const out = world.devices[through]!
  // Native XDP needs the help of the driver at the way out; generic XDP sends as the stack does.
  const transmits = out.xdpXmit && out.attach !== 'absent'
  const generic = world.devices[device]!.attach === 'xdp-generic'
  if (hook === 'xdp' && !transmits && !generic) return { reason: 'LB_STACK_NO_XMIT', device: through }
  return {
    reason: 'LB_REDIRECT',
    device: through,
    hop: { device: through, destination: route.nextHopMac!, source: out.mac },
  }
}
