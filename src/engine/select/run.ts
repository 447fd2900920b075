/** A run of the selection table: the packet path picks one of its entries, each with the same chance. */
import { makeHeap } from './heap.ts'

/** Entries of a run whose members differ in share: weights are whole percentages, so this is exact. */
export const RUN_LENGTH = 100

/**
 * Which member each entry of a group's run names, as indices into `weights`. Weights are percentages
 * that sum to 100, or all `null` for equal shares; shares come out exact. A member's entries are
 * spread evenly, so that walking the run by a counter is smooth too. Runs of more than one member
 * have at least RUN_LENGTH entries: shares can later be changed in place by about one percent.
 */
export function selectionRun(weights: readonly (number | null)[]): number[] {
  const count = weights.length
  if (count === 1) return [0]
  if (weights[0] === null) {
    const rounds = Math.ceil(RUN_LENGTH / count)
    return Array.from({ length: count * rounds }, (_, i) => i % count)
  }
  return spread(weights.map((weight) => weight ?? 0))
}

/**
 * As many entries for each member as given, so that after any number of entries every member has had its
 * share of them but for less than one entry: R. Tijdeman, "The chairman assignment problem", Discrete
 * Mathematics 32 (1980). Each entry goes to the member, of those that may have another one already, that
 * must have it the soonest.
 */
export function spread(counts: readonly number[]): number[] {
  const members = [...counts.keys()].filter((member) => counts[member]! > 0)
  const length = members.reduce((sum, member) => sum + counts[member]!, 0)
  if (members.length === 1) return new Array<number>(length).fill(members[0]!)
  const slack = 2 * members.length - 2
  // For the first entry from which each member may have its next one: the members, with how many they have had.
  const opening: { readonly member: number; readonly had: number }[][] = Array.from({ length }, () => [])
  const open = (member: number, had: number, from: number): void => {
    const count = counts[member]!
    const release = Math.ceil((length * (had * slack + 1)) / (count * slack)) - 1
    if (had < count) opening[Math.max(release, from)]!.push({ member, had })
  }
  for (const member of members) open(member, 0, 0)
  const waiting = makeHeap()
  return Array.from({ length }, (_, i) => {
    for (const { member, had } of opening[i]!) {
      waiting.push({ member, had, deadline: ((had + 1) * slack - 1) / counts[member]! })
    }
    const { member, had } = waiting.pop()
    open(member, had + 1, i + 1)
    return member
  })
}
