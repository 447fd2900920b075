import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planRollout, sameTargets } from '../../../src/engine/plan/rollout.ts'
import type { RolloutStep } from '../../../src/engine/plan/rollout.ts'
import { compareTargets } from '../../../src/engine/model/order.ts'
import type { Target } from '../../../src/engine/model/snapshot.ts'

/** `a b:30`: targets by letter, with weights where they have one. */
function list(text: string): readonly Target[] {
  const words = text.split(' ').filter((word) => word !== '')
  return words
    .map((word) => {
      const [name = '', weight] = word.split(':')
      return {
        ip: `10.0.0.${name.charCodeAt(0) + 3}`,
        port: 80,
        weight: weight === undefined ? null : Number(weight),
      }
    })
    .sort(compareTargets)
}

const letter = ({ ip }: Target): string => String.fromCharCode(Number(ip.split('.')[3]) - 3)
const show = (targets: readonly Target[]): string =>
  targets
    .map((target) => (target.weight === null ? letter(target) : `${letter(target)}:${target.weight}`))
    .join(' ')

/** `-a +x = b c x`: out, in, and what serves then. */
const line = ({ drain, add, list: after }: RolloutStep): string =>
  [...drain.map((t) => `-${letter(t)}`), ...add.map((t) => `+${letter(t)}`), '=', show(after)].join(' ')

describe('the steps of a rollout', () => {
  test.each<[string, string, number, string[]]>([
    ['a b c', 'x y z', 1, ['-a +x = b c x', '-b +y = c x y', '-c +z = x y z']],
    ['a b c', 'x y z', 2, ['-a -b +x +y = c x y', '-c +z = x y z']],
    // One always stays.
    ['a b c', 'x y z', 3, ['-a -b +x +y +z = c x y z', '-c = x y z']],
    ['a b c', 'x y z', 9, ['-a -b +x +y +z = c x y z', '-c = x y z']],
    // The only one goes when its successor is there.
    ['a', 'x', 1, ['+x = a x', '-a = x']],
    ['a', 'x y z', 1, ['+x = a x', '+y = a x y', '-a +z = x y z']],
    ['a b c', 'x', 1, ['-a +x = b c x', '-b = c x', '-c = x']],
    // Those in both stay.
    ['a b c', 'b x', 1, ['-a +x = b c x', '-c = b x']],
    ['a b', 'a b c d', 1, ['+c = a b c', '+d = a b c d']],
    ['a b c d', 'a b', 1, ['-c = a b d', '-d = a b']],
    ['a b', 'a b', 1, []],
    // Shares are brought along and scaled.
    ['a:50 b:50', 'x:80 y:20', 1, ['-a +x = b:38 x:62', '-b +y = x:80 y:20']],
    ['a:50 b:50', 'a:90 b:10', 1, ['= a:90 b:10']],
    ['a b', 'x:80 y:20', 1, ['-a +x = b:38 x:62', '-b +y = x:80 y:20']],
    ['a:80 b:20', 'x y', 1, ['-a +x = b:29 x:71', '-b +y = x y']],
    ['a:1 b:99', 'a:99 x:1', 1, ['-b +x = a:99 x:1']],
    [
      'a:98 b:1 c:1',
      'x:98 y:1 z:1',
      1,
      ['-a +x = b:1 c:1 x:98', '-b +y = c:1 x:98 y:1', '-c +z = x:98 y:1 z:1'],
    ],
  ])('%j to %j by %i', (from, to, batch, expected) => {
    expect(planRollout(list(from), list(to), batch).map(line)).toEqual(expected)
  })

  test('what is left after any step is what the steps after it do', () => {
    const [from, to] = [list('a b c d e'), list('d v w x y z')]
    const steps = planRollout(from, to, 2)
    for (const [i, { list: now }] of steps.entries()) {
      expect(planRollout(now, to, 2).map(line)).toEqual(steps.slice(i + 1).map(line))
    }
  })

  test('attributes of a target are those of the list that it is in', () => {
    const drained = { ...list('b')[0]!, drain: true } as const
    const [step] = planRollout(list('a b'), [drained, ...list('x y')], 1)
    expect(step?.list.find((target) => letter(target) === 'b')).toEqual(drained)
  })
})

const names = fc.uniqueArray(fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz')), {
  minLength: 1,
  maxLength: 26,
})
/** A list with or without weights. */
const lists = fc.tuple(names, fc.boolean()).map(([letters, weighted]) => {
  const equal = Math.floor(100 / letters.length)
  return list(
    letters
      .map((name, i) => (weighted ? `${name}:${i === 0 ? 100 - equal * (letters.length - 1) : equal}` : name))
      .join(' '),
  )
})

test('any rollout ends with what is wanted, and all lists on its way are valid and large enough', () => {
  fc.assert(
    fc.property(lists, lists, fc.integer({ min: 1, max: 8 }), (from, to, batch) => {
      const steps = planRollout(from, to, batch)
      expect(sameTargets(steps.at(-1)?.list ?? from, to)).toBe(true)
      let before: readonly Target[] = from
      for (const { drain, add, list: after } of steps) {
        const least = Math.max(1, Math.min(before.length, to.length - batch))
        expect(Math.max(drain.length, add.length)).toBeLessThanOrEqual(batch)
        // In service while some are drained, and while the new ones are waited for.
        expect(before.length - drain.length).toBeGreaterThanOrEqual(least)
        expect(after.length - add.length).toBeGreaterThanOrEqual(least)
        expect([...after].sort(compareTargets)).toEqual(after)
        const weights = after.map(({ weight }) => weight)
        if (weights.some((weight) => weight !== null)) {
          expect(weights.every((weight) => weight !== null && weight >= 1)).toBe(true)
          expect(weights.reduce<number>((sum, weight) => sum + (weight ?? 0), 0)).toBe(100)
        }
        before = after
      }
    }),
    { numRuns: 500 },
  )
})

test('more than 100 targets have no weights on the way', () => {
  const many = (third: number, count: number): readonly Target[] =>
    Array.from({ length: count }, (_, i) => ({
      ip: `10.0.${third}.${100 + i}`,
      port: 80,
      weight: i === 0 ? 101 - count : 1,
    }))
  const steps = planRollout(many(0, 99), many(1, 100), 100)
  expect(steps.map(({ list: after }) => [after.length, after[0]?.weight])).toEqual([
    [101, null],
    [100, 1],
  ])
})
