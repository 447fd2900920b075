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
  const places: { at: number; member: number }[] = []
  for (const [member, weight] of weights.entries()) {
    for (let k = 0; k < (weight ?? 0); k++) {
      places.push({ at: (k + 0.5) / (weight ?? 1), member })
    }
  }
  return places.sort((a, b) => a.at - b.at || a.member - b.member).map(({ member }) => member)
}
