import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadFactors, TOLERANCE } from '../../../src/engine/load/load.ts'
import type { LoadedTarget } from '../../../src/engine/load/load.ts'
import { LOAD_ONE } from '../../../src/engine/model/runtime.ts'

/** `weight:connections` of each target, `=` for one without a weight, and the factor that holds. */
function targets(text: string, held: readonly number[] = []): LoadedTarget[] {
  return text.split(' ').map((one, i) => {
    const [weight, connections] = one.split(':')
    return {
      weight: weight === '=' ? null : Number(weight),
      connections: Number(connections),
      load: held[i] ?? LOAD_ONE,
    }
  })
}

const shares = (list: readonly LoadedTarget[], factors: readonly number[]): number[] => {
  const products = list.map(({ weight }, i) => (weight ?? 1) * factors[i]!)
  const sum = products.reduce((a, b) => a + b, 0)
  return products.map((product) => product / sum)
}

describe('weight / (1 + connections)', () => {
  test.each([
    ['50:0 50:0', [1_000_000, 1_000_000]],
    ['50:0 50:1', [1_000_000, 500_000]],
    ['50:9 50:4', [500_000, 1_000_000]],
    ['90:9 10:0', [100_000, 1_000_000]],
    ['=:3 =:0 =:1', [250_000, 1_000_000, 500_000]],
    ['100:7', [1_000_000]],
    ['50:0 50:9999999', [1_000_000, 1]],
  ])('%s', (text, factors) => {
    expect(loadFactors(targets(text), true)).toEqual(factors)
  })

  test('gives shares of new connections in proportion', () => {
    const list = targets('60:5 30:2 10:0')
    // 60/6, 30/3, 10/1
    expect(shares(list, loadFactors(list, true)).map((share) => share.toFixed(4))).toEqual(
      Array(3).fill('0.3333'),
    )
  })
})

describe('1 / (1 + connections): weights do not count', () => {
  test.each([
    ['50:0 50:0', [1, 1]],
    ['90:0 10:0', [1, 1]],
    ['90:1 10:0', [1, 2]],
    ['60:0 30:1 10:3', [4, 2, 1]],
    ['=:0 =:4', [5, 1]],
  ])('%s', (text, parts) => {
    const list = targets(text)
    const total = parts.reduce((a, b) => a + b, 0)
    for (const [i, share] of shares(list, loadFactors(list, false)).entries()) {
      expect(share).toBeCloseTo(parts[i]! / total, 4)
    }
  })
})

describe('factors that hold', () => {
  test('stay while no share would change by more than a twentieth', () => {
    const held = loadFactors(targets('50:100 50:100'), true)
    expect(loadFactors(targets('50:100 50:104', held), true)).toEqual(held)
    expect(loadFactors(targets('50:96 50:104', held), true)).toEqual(held)
    expect(loadFactors(targets('50:100 50:115', held), true)).not.toEqual(held)
    // Both twice as many: shares are what they were.
    expect(loadFactors(targets('50:200 50:200', held), true)).toEqual(held)
  })

  test('that say nothing give way', () => {
    expect(loadFactors(targets('50:1 50:0', [0, 0]), true)).toEqual([500_000, 1_000_000])
    expect(loadFactors(targets('50:0 50:0', [0, 1_000_000]), true)).toEqual([1_000_000, 1_000_000])
  })

  test('are held against what was written, so that small changes add up', () => {
    let held = loadFactors(targets('50:100 50:100'), true)
    let writes = 0
    for (let connections = 100; connections <= 200; connections++) {
      const next = loadFactors(targets(`50:100 50:${connections}`, held), true)
      if (next.some((factor, i) => factor !== held[i])) writes++
      held = next
    }
    expect(shares(targets('50:100 50:200'), held)[1]).toBeCloseTo(101 / 302, 1)
    expect(writes).toBeGreaterThan(4)
    expect(writes).toBeLessThan(12)
  })

  test('are within the tolerance of what is wanted, from 1 to LOAD_ONE, the largest LOAD_ONE', () => {
    const target = fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      connections: fc.integer({ min: 0, max: 5000 }),
      load: fc.integer({ min: 1, max: LOAD_ONE }),
    })
    fc.assert(
      fc.property(fc.array(target, { minLength: 1, maxLength: 30 }), fc.boolean(), (list, weighted) => {
        const factors = loadFactors(list, weighted)
        const held = list.map(({ load }) => load)
        const fresh = list.map((one) => ({ ...one, load: LOAD_ONE }))
        const wanted = list.map(({ weight, connections }) => (weighted ? 1 : 1 / weight) / (1 + connections))
        const due = shares(list, wanted)
        for (const [i, share] of shares(list, factors).entries()) {
          expect(factors[i]).toBeGreaterThanOrEqual(1)
          expect(factors[i]).toBeLessThanOrEqual(LOAD_ONE)
          // One in a million of the largest is how exact a factor is.
          expect(Math.abs(share - due[i]!)).toBeLessThanOrEqual(
            TOLERANCE * Math.max(share, due[i]!) + 2e-5 * due.length,
          )
        }
        if (factors.some((factor, i) => factor !== held[i])) expect(Math.max(...factors)).toBe(LOAD_ONE)
        // Order means nothing.
        expect(loadFactors(fresh.toReversed(), weighted).toReversed()).toEqual(loadFactors(fresh, weighted))
      }),
    )
  })
})
