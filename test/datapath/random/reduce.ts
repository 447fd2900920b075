/** Makes a failing value as small as it gets while it still fails. */

/**
 * Takes the first of the smaller values that still fails, again and again until none does. `smaller`
 * gives the biggest steps first; each of its values must be smaller than the one it was made from, or
 * this would not end.
 */
export function reduce<T>(
  start: T,
  smaller: (value: T) => Iterable<T>,
  fails: (value: T) => boolean,
  attempts: number,
): T {
  let best = start
  let left = attempts
  for (;;) {
    let next: T | undefined
    for (const candidate of smaller(best)) {
      if (left-- <= 0) return best
      if (!fails(candidate)) continue
      next = candidate
      break
    }
    if (next === undefined) return best
    best = next
  }
}

/** The list without some of its elements: without its halves, its quarters, …, each single one. */
export function* withoutParts<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let size = list.length; size >= 1; size = Math.floor(size / 2)) {
    // The end first: what comes after the failure is in nobody's way.
    for (let end = list.length; end > 0; end -= size) {
      yield [...list.slice(0, Math.max(0, end - size)), ...list.slice(end)]
    }
  }
}

/** The list with one element replaced by each of its smaller ones. */
export function* withSmallerParts<T>(
  list: readonly T[],
  smaller: (element: T) => Iterable<T>,
): Generator<readonly T[]> {
  for (const [i, element] of list.entries()) {
    for (const replacement of smaller(element)) yield list.with(i, replacement)
  }
}

/** The object without each of the given properties that it has. */
export function* withoutKeys<T extends object>(value: T, keys: readonly (keyof T)[]): Generator<T> {
  for (const key of keys) {
    if (value[key] === undefined) continue
    const { [key]: _, ...rest } = value
    yield rest as T
  }
}

/** Zero, half, and one less. */
export function smallerNumbers(value: number): number[] {
  return [...new Set([0, Math.floor(value / 2), value - 1])].filter((number) => number >= 0 && number < value)
}
