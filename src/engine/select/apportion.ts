/** Whole numbers in proportion to weights. */

/**
 * So many entries for each weight, `length` in all: largest remainders, the first of equal ones. A weight above zero
 * gets at least one entry where there is room for all, at the cost of those that have the most.
 */
export function apportion(weights: readonly number[], length: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const entries = weights.map((weight) => Math.floor((weight * length) / total))
  const rest = weights.map((weight) => (weight * length) % total)
  const left = length - entries.reduce((sum, count) => sum + count, 0)
  const byRest = [...weights.keys()].sort((a, b) => rest[b]! - rest[a]! || a - b)
  for (const member of byRest.slice(0, left)) entries[member]! += 1
  keepAll(weights, entries, length)
  return entries
}

/** Gives an entry to every weight that has none yet, each from the member that then has the most. */
function keepAll(weights: readonly number[], entries: number[], length: number): void {
  const positive = weights.filter((weight) => weight > 0).length
  if (positive > length) return
  const without = [...weights.keys()].filter((member) => weights[member]! > 0 && entries[member] === 0)
  for (const member of without) {
    let most = 0
    for (const [other, count] of entries.entries()) if (count > entries[most]!) most = other
    entries[most]! -= 1
    entries[member] = 1
  }
}
