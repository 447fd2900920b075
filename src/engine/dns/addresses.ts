/** What an answer comes to: a server may send anything. */
import { familyOf, formatIp, isMapped, parseIp } from '../model/ip.ts'
import { compareText } from '../model/order.ts'
import type { Family } from '../model/snapshot.ts'

/** Addresses that are taken of one answer, at most. */
export const MAX_ADDRESSES = 256

/**
 * The addresses of `family` that a connection can be made to, as canonical text, sorted, none twice. Of more than
 * MAX_ADDRESSES the first in that order, so that a server that sends its list in another order each time changes nothing.
 */
export function usableAddresses(addresses: readonly string[], family: Family): string[] {
  const canonical = addresses.flatMap((text) => {
    const bytes = parseIp(text)
    return bytes && isUnicast(bytes) ? [formatIp(bytes)] : []
  })
  return [...new Set(canonical)]
    .filter((ip) => familyOf(ip) === family)
    .sort(compareText)
    .slice(0, MAX_ADDRESSES)
}

/** No unspecified, multicast, broadcast or link-local address: nothing behind a router has one of those. */
function isUnicast(bytes: Uint8Array): boolean {
  if (isMapped(bytes)) {
    const [first = 0, second = 0] = bytes.subarray(12)
    return first !== 0 && first < 224 && !(first === 169 && second === 254)
  }
  const isLinkLocal = bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80
  return bytes[0] !== 0xff && !isLinkLocal && bytes.some((byte) => byte !== 0)
}
