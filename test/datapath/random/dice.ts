/** Random choices that a seed repeats. */
export interface Dice {
  /** A whole number from 0 to n - 1. */
  readonly below: (n: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(list: readonly T[]) => T
  readonly some: <T>(list: readonly T[], probability: number) => T[]
}

/** Mulberry32: a small generator of numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `number` sets the many dice of one seed apart. */
export function dice(seed: number, number = 0): Dice {
  const next = generator(Math.imul(seed ^ Math.imul(number + 1, 0x9e3779b1), 0x85ebca6b))
  const below = (n: number): number => Math.floor(next() * n)
  const chance = (probability: number): boolean => next() < probability
  return {
    below,
    chance,
    pick: (list) => list[below(list.length)]!,
    some: (list, probability) => list.filter(() => chance(probability)),
  }
}
