/** How the host would send a packet on. Part of the model; see model.ts. */
import { mappedLength, parseIp, parsePrefix } from '../../src/engine/model/ip.ts'
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

export interface Device {
  readonly mac: string
  /** XDP can send frames through it. */
  readonly xdpXmit: boolean
  /** Packets that came in by it may be sent on. */
  readonly forwarding: boolean
  /** A program at its egress restores what the stack sends. */
  readonly egress: boolean
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
export function longest<T>(ip: string, entries: readonly T[], prefixOf: (entry: T) => string): T | undefined {
  let best: { readonly entry: T; readonly length: number } | undefined
  for (const entry of entries) {
    const length = matches(ip, prefixOf(entry))
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
  if (hook === 'xdp' && !out.xdpXmit) return { reason: 'LB_STACK_NO_XMIT', device: through }
  return {
    reason: 'LB_REDIRECT',
    device: through,
    hop: { device: through, destination: route.nextHopMac!, source: out.mac },
  }
}
