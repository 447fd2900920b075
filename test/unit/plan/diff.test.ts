import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sameJson } from '../../../src/engine/model/compare.ts'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import { hasChanges } from '../../../src/engine/model/plan.ts'
import type { Change } from '../../../src/engine/model/plan.ts'
import { resourcesOf, usualAttributes } from '../../../src/engine/model/resource.ts'
import type { Attributes } from '../../../src/engine/model/resource.ts'
import type { Deployment } from '../../../src/engine/model/snapshot.ts'
import { diff, summarise } from '../../../src/engine/plan/diff.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { deployment } from '../../support/arbitrary.ts'

const resources = (entries: Record<string, Attributes>): Map<string, Attributes> =>
  new Map(Object.entries(entries))

/** What a plan's changes make of what is live. */
function carriedOut(
  live: ReadonlyMap<string, Attributes>,
  changes: readonly Change[],
): Map<string, Attributes> {
  const result = new Map(live)
  for (const { address, after } of changes) {
    if (after === null) result.delete(address)
    else result.set(address, after)
  }
  return result
}

const liveOf = (given: Deployment, options: Partial<LiveState> = {}): LiveState => ({
  instance: 'test',
  generation: 3,
  slot: 2,
  fingerprint: 'print',
  deployment: given,
  applied: given,
  drift: [],
  program: { sha256: 'a'.repeat(64) },
  ...options,
})

const source = { sources: ['lb.yaml'], configHash: 'hash', program: 'a'.repeat(64) }

describe('the difference', () => {
  test('is creations and updates in the order of what is wanted, then deletions', () => {
    const live = resources({ a: { x: 1 }, b: { x: 1 }, c: { x: 1 } })
    const desired = resources({ d: { x: 1 }, c: { x: 2 }, b: { x: 1 } })
    expect(diff(live, desired)).toEqual([
      { action: 'create', address: 'd', before: null, after: { x: 1 } },
      { action: 'update', address: 'c', before: { x: 1 }, after: { x: 2 } },
      { action: 'delete', address: 'a', before: { x: 1 }, after: null },
    ])
  })

  test('turns one deployment into the other', () => {
    fc.assert(
      fc.property(deployment, deployment, (a, b) => {
        const [live, desired] = [resourcesOf(a), resourcesOf(b)]
        const changes = diff(live, desired)
        // A setting that is back to its default is no resource.
        const isUsual = ([address, is]: readonly [string, Attributes]): boolean =>
          sameJson(is, usualAttributes(address))
        const reached = [...carriedOut(live, changes)].filter((entry) => !isUsual(entry))
        expect(new Map(reached)).toEqual(desired)
        expect(new Set(changes.map(({ address }) => address)).size).toBe(changes.length)
        const { create, update, delete: gone } = summarise(changes)
        expect(create + update + gone).toBe(changes.length)
        const usual = (is: Attributes | null, { address }: Change): boolean =>
          is !== null && isUsual([address, is])
        const came = changes.filter((change) => usual(change.before, change)).length
        const went = changes.filter((change) => usual(change.after, change)).length
        expect(live.size + create + came - gone - went).toBe(desired.size)
      }),
    )
  })

  test('of a deployment and itself is nothing', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        expect(diff(resourcesOf(given), resourcesOf(structuredClone(given)))).toEqual([])
      }),
    )
  })
})

describe('a plan', () => {
  test('says what it was made from and how much stays', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        const { plan, base, desired, sources, configHash } = makePlan(liveOf(given), given, source)
        expect(plan).toEqual({
          formatVersion: 1,
          instance: 'test',
          live: { generation: 3, fingerprint: 'print' },
          changes: [],
          drift: [],
          summary: { create: 0, update: 0, delete: 0 },
          unchanged: resourcesOf(given).size,
        })
        expect(hasChanges(plan)).toBe(false)
        expect([base, desired, sources, configHash]).toEqual([given, given, ['lb.yaml'], 'hash'])
      }),
    )
  })

  test('has the upgrade of the programs as a change, where it can be told', () => {
    const changesFor = (live: LiveState, program: string | undefined): readonly Change[] =>
      makePlan(live, EMPTY_DEPLOYMENT, { ...source, program }).plan.changes
    const live = liveOf(EMPTY_DEPLOYMENT)
    expect(changesFor(live, 'b'.repeat(64))).toEqual([
      {
        action: 'update',
        address: 'program',
        before: { sha256: 'a'.repeat(12) },
        after: { sha256: 'b'.repeat(12) },
      },
    ])
    expect(changesFor(live, undefined)).toEqual([])
    expect(changesFor({ ...live, program: undefined }, 'b'.repeat(64))).toEqual([])
  })
})
