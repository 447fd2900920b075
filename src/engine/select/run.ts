/** A run of the selection table: the packet path picks one of its entries, each with the same chance. */

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
 * After any number of entries, every member has had its share of them but for less than one entry:
 * R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980). Each entry goes to
 * the member, of those that may have another one already, that must have it the soonest.
 */
function spread(weights: readonly number[]): number[] {
  const length = weights.reduce((sum, weight) => sum + weight, 0)
  const slack = 2 * weights.length - 2
  const had = weights.map(() => 0)
  return Array.from({ length }, (_, i) => {
    let next = { member: 0, deadline: Infinity }
    for (const [member, weight] of weights.entries()) {
      const behind = weight * (i + 1) - length * had[member]!
      const deadline = (length * (1 - 1 / slack) - behind) / weight
      if (behind * slack >= length && deadline < next.deadline) next = { member, deadline }
    }
    had[next.member]! += 1
    return next.member
  })
}
