/** Frames that are not as they should be: changed bytes, tags, ends cut off. */
import { ETHERNET } from '../../support/packet.ts'
import type { Damage, Packet } from './case.ts'
import type { Dice } from './dice.ts'

/** Places in a frame that decide what becomes of it, from the start of their header. */
const PLACES = {
  ethernet: [0, 5, 12, 13],
  ipv4: [0, 0, 1, 2, 3, 3, 6, 7, 8, 9, 9, 10, 11],
  ipv6: [0, 1, 4, 5, 5, 6, 6, 7],
  tcp: [0, 1, 2, 3, 12, 12, 13, 16, 17],
  udp: [0, 1, 2, 3, 4, 5, 5, 6, 7],
} as const
/** Protocols and next headers: ICMP, TCP, UDP, GRE, ICMPv6, SCTP, none; extension headers. */
const PROTOCOLS = [1, 6, 17, 47, 58, 132, 59, 0, 43, 44, 51, 60, 135]
const VLAN_TYPES = [0x8100, 0x88a8]
const SIDES = { ipv4: [12, 16, 4], ipv6: [8, 24, 16] } as const

/**
 * Of addresses the client's and the listener's, and not their first bytes: where the host sends any other,
 * and what sources it refuses, is not the data plane's affair.
 */
function randomPlace({ below, chance, pick }: Dice, { flow, from }: Packet): number {
  const family = flow.source.includes(':') ? 'ipv6' : 'ipv4'
  const l4 = ETHERNET + (family === 'ipv6' ? 40 : 20)
  if (chance(0.1)) return pick(PLACES.ethernet)
  if (chance(0.1)) {
    const [source, destination, size] = SIDES[family]
    return ETHERNET + (from === 'client' ? source : destination) + 2 + below(size - 2)
  }
  return chance(0.6) ? ETHERNET + pick(PLACES[family]) : l4 + pick(PLACES[flow.protocol])
}

function randomByte(roll: Dice, packet: Packet): Damage {
  const { below, chance, pick } = roll
  const v6 = packet.flow.source.includes(':')
  if (chance(0.08)) return { at: ETHERNET + (v6 ? 6 : 9), set: pick(PROTOCOLS) }
  // Lengths about those of headers.
  if (chance(0.1)) return { at: ETHERNET + (v6 ? 5 : 3), set: below(60) }
  // A length instead of an Ethernet type.
  if (chance(0.02)) return { at: 12, set: below(6) }
  const at = randomPlace(roll, packet)
  return chance(0.4) ? { at, set: below(256) } : { at, add: pick([1, 255, 1, 255, 2, 16, 64, 128]) }
}

export function randomDamage(roll: Dice, packet: Packet): Damage[] {
  const { below, chance, pick } = roll
  const bytes = Array.from({ length: pick([0, 1, 1, 1, 2, 3]) }, () => randomByte(roll, packet))
  return [
    ...bytes,
    ...(chance(0.08) ? [{ vlan: pick(VLAN_TYPES) }] : []),
    ...(chance(0.3) ? [{ cut: ETHERNET + below(70) }] : []),
  ]
}
