/** The word of `words` that `typed` was probably meant to be: few letters differ, in case or dashes any. */
export function suggest(typed: string, words: readonly string[]): string | undefined {
  const wanted = fold(typed)
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const word of words) {
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, word.length) / 3))
    // Long input is no typing mistake, and comparing it would cost.
    if (Math.abs(wanted.length - fold(word).length) > limit) continue
    const distance = editDistance(wanted, fold(word))
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { word, distance }
  }
  return best?.word
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[:_\s-]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
