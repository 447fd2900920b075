/** Removed targets whose connections are to end, as pinned. */
import { decodeRemoval, REMOVED_KEY_SIZE, REMOVED_SIZE, slotOfRow } from '../abi/removed.ts'
import { timeOfDay } from '../model/clocks.ts'
import type { Clocks } from '../model/clocks.ts'
import { formatEndpoint } from '../model/ip.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { PendingRemoval, Removal } from '../model/removal.ts'
import type { KernelPort, MapPort } from '../ports/kernel.ts'
import { countByListener, readConnRecords } from './connections.ts'
import type { ConnRecords } from './connections.ts'

/** Of the generation in a slot. */
export function removalsOf(map: MapPort, slot: number): Removal[] {
  const { count, keys, values } = map.readAll()
  return Array.from({ length: count }, (_, i) => {
    const key = keys.subarray(i * REMOVED_KEY_SIZE, (i + 1) * REMOVED_KEY_SIZE)
    return slotOfRow(key) === slot
      ? decodeRemoval(key, values.subarray(i * REMOVED_SIZE, (i + 1) * REMOVED_SIZE))
      : undefined
  }).filter((removal) => removal !== undefined)
}

/** Of the generation that serves: those that have connections left, by proxy, then target. */
export function pendingRemovals(
  kernel: KernelPort,
  clocks: Clocks,
  paths: InstancePaths,
  slot: number,
): PendingRemoval[] {
  using map = kernel.openMap(paths.removed)
  const removals = map ? removalsOf(map, slot) : []
  const ending = removals.filter(({ deadline }) => deadline !== null)
  if (ending.length === 0) return []
  const spared = removals.filter(({ deadline }) => deadline === null)
  const counts = countEach(readConnRecords(kernel, paths), ending, spared)
  return ending
    .map(({ row: _, deadline, ...removal }, i): PendingRemoval => {
      const until = new Date(timeOfDay(deadline ?? 0, clocks)).toISOString()
      return { ...removal, connections: counts[i]!, until }
    })
    .filter(({ connections }) => connections > 0)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

export type Place = Pick<Removal, 'listener' | 'ip' | 'port'>

/** Connections that are not over, of each; those of an address of its own are not those of any address. */
export function countEach(
  records: readonly ConnRecords[],
  places: readonly Place[],
  others: readonly Place[],
): number[] {
  const countOf = countByListener(records)
  return places.map((place) => {
    const { listener, ip, port } = place
    const beside = listener.address === null ? [...others, ...places] : []
    const except = beside
      .filter((other) => other.listener.address !== null && sameButAddress(other, place))
      .map((other) => other.listener.address)
    return countOf(listener, formatEndpoint(ip, port), except)
  })
}

function sameButAddress(a: Place, b: Place): boolean {
  return (
    a.listener.port === b.listener.port &&
    a.listener.protocol === b.listener.protocol &&
    a.ip === b.ip &&
    a.port === b.port
  )
}

const nameOf = ({ proxy, ip, port }: PendingRemoval): string => `${proxy} ${formatEndpoint(ip, port)}`
