/** What several rounds of one measurement say. */

export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new Error('no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function summarise(samples: readonly number[]): Summary {
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) }
}

/**
 * The power of n that a cost grows with between two sizes: 1 is linear. `fixed` is what it costs at a
 * size near zero. `undefined` where the growth is lost in the fixed cost.
 */
export function exponent(
  small: { readonly n: number; readonly cost: number },
  large: { readonly n: number; readonly cost: number },
  fixed: number,
): number | undefined {
  const growth = (large.cost - fixed) / (small.cost - fixed)
  if (small.cost - fixed < 0.05 * fixed || !(growth > 0)) return undefined
  return Math.log(growth) / Math.log(large.n / small.n)
}
