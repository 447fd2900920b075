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
  // In flat arrays: a list of thousands is spread anew each time that one of its members fails.
  const had = new Uint32Array(counts.length)
  const deadlines = new Float64Array(counts.length)
  const waiting = makeHeap(deadlines)
  // For each entry, the members that may have their next one from there on, as a chain through `next`.
  const opening = new Int32Array(length).fill(-1)
  const next = new Int32Array(counts.length)
  const open = (member: number, from: number): void => {
    const count = counts[member]!
    if (had[member]! >= count) return
    const release = Math.ceil((length * (had[member]! * slack + 1)) / (count * slack)) - 1
    const at = Math.max(release, from)
    next[member] = opening[at]!
    opening[at] = member
  }
  for (const member of members) open(member, 0)
  const run = new Array<number>(length)
  for (let i = 0; i < length; i++) {
    for (let member = opening[i]!; member !== -1; member = next[member]!) {
      deadlines[member] = ((had[member]! + 1) * slack - 1) / counts[member]!
      waiting.push(member)
    }
    const member = waiting.pop()
    run[i] = member
    had[member]! += 1
    open(member, i + 1)
  }
  return run
}
