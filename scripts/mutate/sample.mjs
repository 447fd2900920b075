// @ts-check
/**
 * A fault: a place in a file, and what stands there instead.
 * @typedef {{ file: string, operator: string, start: number, end: number, text: string }} Mutant
 */

/**
 * Numbers in [0, 1), the same ones for a seed (mulberry32).
 * @param {number} seed
 */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {() => number} dice
 */
function shuffled(items, dice) {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(dice() * (i + 1))
    const swapped = /** @type {T} */ (result[i])
    result[i] = /** @type {T} */ (result[j])
    result[j] = swapped
  }
  return result
}

/**
 * All mutants in an order that only the seed decides, one of each operator in turn: common operators
 * would crowd the rare ones out.
 * @param {readonly Mutant[]} mutants
 * @param {number} seed
 */
export function inRandomOrder(mutants, seed) {
  const dice = random(seed)
  const operators = [...new Set(mutants.map(({ operator }) => operator))]
  const queues = operators.map((name) =>
    shuffled(
      mutants.filter(({ operator }) => operator === name),
      dice,
    ),
  )
  const rounds = Math.max(0, ...queues.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) =>
    shuffled(
      queues.flatMap((queue) => queue[round] ?? []),
      dice,
    ),
  ).flat()
}

/** @param {string} text */
const oneLine = (text) => text.replace(/\s+/g, ' ').trim()

/**
 * The source with the fault, and the lines that differ, as a diff shows them.
 * @param {string} source
 * @param {Mutant} mutant
 */
export function planted(source, { start, end, text }) {
  const from = source.lastIndexOf('\n', start) + 1
  const newline = source.indexOf('\n', end)
  const to = newline === -1 ? source.length : newline
  return {
    source: source.slice(0, start) + text + source.slice(end),
    line: source.slice(0, start).split('\n').length,
    before: oneLine(source.slice(from, to)),
    after: oneLine(source.slice(from, start) + text + source.slice(end, to)),
  }
}
