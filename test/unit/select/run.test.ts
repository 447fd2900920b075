import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RUN_LENGTH, selectionRun, spread } from '../../../src/engine/select/run.ts'
import { weightsOf } from '../../support/arbitrary.ts'

const countOf = (run: readonly number[], member: number): number =>
  run.filter((entry) => entry === member).length

describe('weighted runs', () => {
  const weights = fc.integer({ min: 2, max: 60 }).chain(weightsOf)

  test('have a hundred entries, each member its weight of them', () => {
    fc.assert(
      fc.property(weights, (given) => {
        const run = selectionRun(given)
        expect(run).toHaveLength(RUN_LENGTH)
        for (const [member, weight] of given.entries()) expect(countOf(run, member)).toBe(weight)
      }),
    )
  })

  test('are spread evenly: after any number of entries, no member is off its share by one or more', () => {
    const check = (given: readonly number[]): void => {
      const run = selectionRun(given)
      const seen = given.map(() => 0)
      let furthest = 0
      for (const [i, member] of run.entries()) {
        seen[member]! += 1
        for (const [other, weight] of given.entries()) {
          furthest = Math.max(furthest, Math.abs(seen[other]! - (weight * (i + 1)) / RUN_LENGTH))
        }
      }
      expect(furthest).toBeLessThan(1)
    }
    check([51, ...new Array<number>(49).fill(1)])
    check(new Array<number>(100).fill(1))
    fc.assert(fc.property(weights, check))
  })

  test('are the same with members that have nothing of it as without them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), (counts) => {
        const members = [...counts.keys()].filter((member) => counts[member] !== 0)
        const without = spread(members.map((member) => counts[member]!))
        expect(spread(counts)).toEqual(without.map((member) => members[member]))
      }),
    )
  })

  test.each([
    [[50, 50], '01'.repeat(50)],
    [[75, 25], '0010'.repeat(25)],
    [[1, 99], `${'1'.repeat(49)}0${'1'.repeat(50)}`],
    [[100], '0'],
  ])('of %j', (given, expected) => expect(selectionRun(given).join('')).toBe(expected))
})

describe('equal shares', () => {
  test('are equal, in at least a hundred entries, one after another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), (count) => {
        const run = selectionRun(new Array<null>(count).fill(null))
        expect(run.length).toBeGreaterThanOrEqual(RUN_LENGTH)
        expect(run.length % count).toBe(0)
        expect(run.every((member, i) => member === i % count)).toBe(true)
      }),
    )
  })

  test('of one member take one entry', () => expect(selectionRun([null])).toEqual([0]))
  test('of three take 102', () => expect(selectionRun([null, null, null])).toHaveLength(102))
})

test('no members, no entries', () => expect(selectionRun([])).toEqual([]))
