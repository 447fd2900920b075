import { describe, expect, test } from 'vitest'
import { loadFactors } from '../../../src/engine/load/load.ts'
import { LOAD_ONE } from '../../../src/engine/model/runtime.ts'

/** Connections that come and go at targets, some of which take longer for each: how many are open where. */

/** Mulberry32: numbers from 0 to 1 that a seed makes repeatable. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Setup {
  readonly weights: readonly number[]
  /** Mean time that a connection takes at each target, in seconds. */
  readonly seconds: readonly number[]
  readonly perSecond: number
  readonly algorithm: 'random' | 'least' | 'least, unweighted'
  readonly seed: number
}

interface Outcome {
  /** Mean over time of the connections open at each target. */
  readonly open: readonly number[]
  /** Of the seconds, in how many the factors were written. */
  readonly writes: number
}

const SECONDS = 400
const WARM_UP = 100
const STEPS = 50

function simulate({ weights, seconds, perSecond, algorithm, seed }: Setup): Outcome {
  const random = generator(seed)
  const connections = weights.map(() => 0)
  const open = weights.map(() => 0)
  /** Whose connections end, by step. */
  const ends = new Map<number, number[]>()
  let loads: readonly number[] = weights.map(() => LOAD_ONE)
  let writes = 0
  const pick = (): number => {
    const shares = weights.map((weight, i) => weight * loads[i]!)
    let left = random() * shares.reduce((a, b) => a + b, 0)
    return Math.max(
      0,
      shares.findIndex((share) => (left -= share) < 0),
    )
  }
  for (let step = 0; step < SECONDS * STEPS; step++) {
    const now = step / STEPS
    for (const target of ends.get(step) ?? []) connections[target]! -= 1
    ends.delete(step)
    if (step % STEPS === 0 && algorithm !== 'random') {
      const list = weights.map((weight, i) => ({ weight, connections: connections[i]!, load: loads[i]! }))
      const next = loadFactors(list, algorithm === 'least')
      if (next.some((factor, i) => factor !== loads[i])) writes++
      loads = next
    }
    for (let i = 0; i < perSecond / STEPS; i++) {
      const target = pick()
      connections[target]! += 1
      const end = step + 1 + Math.floor(-Math.log(1 - random()) * seconds[target]! * STEPS)
      ends.set(end, [...(ends.get(end) ?? []), target])
    }
    if (now >= WARM_UP) {
      for (const [i, count] of connections.entries()) open[i]! += count / ((SECONDS - WARM_UP) * STEPS)
    }
  }
  return { open, writes }
}

/** How far apart targets are: the most connections by the fewest, each by its weight. */
const imbalance = (open: readonly number[], weights: readonly number[]): number => {
  const loads = open.map((count, i) => count / weights[i]!)
  return Math.max(...loads) / Math.min(...loads)
}

const seeds = [1, 2, 3]

describe.each(seeds)('seed %i', (seed) => {
  const equal = [25, 25, 25, 25]
  const slowOne = { weights: equal, seconds: [1, 1, 1, 6], perSecond: 50, seed }

  test('a target that takes six times as long has six times the connections, but for least connections', () => {
    const random = imbalance(simulate({ ...slowOne, algorithm: 'random' }).open, equal)
    const least = imbalance(simulate({ ...slowOne, algorithm: 'least' }).open, equal)
    expect(random).toBeGreaterThan(5)
    // In proportion to 1 / (1 + connections), connections are as the square root of the times.
    expect(least).toBeLessThan(2.7)
    expect(least).toBeLessThan(random / 2)
  })

  test('weights count where they are to: connections are as the square root of weight times time', () => {
    const weights = [70, 20, 10]
    const setup = { weights, seconds: [3, 3, 9], perSecond: 100, seed }
    const { open } = simulate({ ...setup, algorithm: 'least' })
    expect(
      imbalance(
        open,
        setup.seconds.map((time, i) => Math.sqrt(weights[i]! * time)),
      ),
    ).toBeLessThan(1.15)
    const random = simulate({ ...setup, algorithm: 'random' }).open
    expect(imbalance(open, [1, 1, 1])).toBeLessThan(imbalance(random, [1, 1, 1]) * 0.7)
  })

  test('and do not where they are not', () => {
    const weights = [70, 20, 10]
    const setup = { weights, seconds: [3, 3, 3], perSecond: 100, seed }
    const { open } = simulate({ ...setup, algorithm: 'least, unweighted' })
    expect(imbalance(open, [1, 1, 1])).toBeLessThan(1.1)
  })

  test('where nothing differs, tables are seldom written', () => {
    const { open, writes } = simulate({
      ...{ weights: equal, seconds: [20, 20, 20, 20], perSecond: 500, seed },
      algorithm: 'least',
    })
    expect(imbalance(open, equal)).toBeLessThan(1.05)
    expect(writes).toBeLessThan(SECONDS / 10)
  })
})

test('is the same each time', () => {
  const setup = { weights: [50, 50], seconds: [1, 3], perSecond: 50, algorithm: 'least', seed: 7 } as const
  expect(simulate(setup)).toEqual(simulate(setup))
})
