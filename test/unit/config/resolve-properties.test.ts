import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCanonicalYaml } from '../../../src/engine/config/canonical.ts'
import { scale } from '../../../src/engine/config/check/weights.ts'
import { resolveSnapshot } from '../../../src/engine/config/resolve.ts'
import type { Target } from '../../../src/engine/model/snapshot.ts'
import { resourcesOf } from '../../../src/engine/model/resource.ts'
import { hostsOf } from '../../../src/engine/model/unresolved.ts'
import type { UnresolvedSnapshot, UnresolvedTarget } from '../../../src/engine/model/unresolved.ts'
import { diff } from '../../../src/engine/plan/diff.ts'
import { named } from './arbitrary-names.ts'
import { load } from './report.ts'

describe('whatever the names', () => {
  it('weights add up to a multiple of 100, in proportion, none is lost, and each fits the maps', () => {
    fc.assert(
      fc.property(named, ({ unresolved, answers }) => {
        const result = resolveSnapshot(unresolved, answers)
        fc.pre(result.ok)
        for (const { defaultTarget, sourceRoutes } of result.snapshot.proxies) {
          for (const targets of [defaultTarget, ...sourceRoutes.map((route) => route.targets)])
            expectShares(targets)
        }
      }),
    )
  })

  it('what is shown of the result, and loaded again, is the result', () => {
    fc.assert(
      fc.property(named, ({ unresolved, answers }) => {
        const result = resolveSnapshot(unresolved, answers)
        fc.pre(result.ok)
        const text = toCanonicalYaml(result.snapshot)
        expect(load(text, 'yaml', answers)).toEqual(result.snapshot)
      }),
    )
  })

  it('other weights that show no change are none: what serves is the same to the last detail', () => {
    let unseen = 0
    fc.assert(
      fc.property(named, fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (given, parts) => {
        const result = resolveSnapshot(given.unresolved, given.answers)
        const changed = reweighted(given.unresolved, parts)
        const other = resolveSnapshot(changed, given.answers)
        fc.pre(result.ok && other.ok)
        const [before, after] = [result.snapshot, other.snapshot].map((snapshot) =>
          resourcesOf({ snapshot, attachments: [] }),
        )
        if (diff(before!, after!).length > 0) return
        if (JSON.stringify(changed) !== JSON.stringify(given.unresolved)) unseen++
        expect(other.snapshot).toEqual(result.snapshot)
      }),
    )
    expect(unseen).toBeGreaterThan(0)
  })

  it('a name is shown as it is configured, where no two share an address', () => {
    fc.assert(
      fc.property(named, ({ unresolved }) => {
        const hosts = hostsOf(unresolved).map(({ host }, i) => [
          host,
          [`10.77.0.${i}`, `10.77.1.${i}`, `fd77::${i}`],
        ])
        const result = resolveSnapshot(unresolved, new Map(hosts as [string, string[]][]))
        fc.pre(result.ok)
        expect(toCanonicalYaml(result.snapshot)).toBe(toCanonicalYaml(unresolved))
      }),
    )
  })
})

/** The same lists with other weights, where they have any. */
function reweighted(unresolved: UnresolvedSnapshot, parts: Iterator<number>): UnresolvedSnapshot {
  const weigh = (targets: readonly UnresolvedTarget[]): readonly UnresolvedTarget[] => {
    if (targets[0]?.weight == null) return targets
    const drawn = targets.map(() => parts.next().value as number)
    const shares = scale(
      drawn,
      drawn.reduce((sum, part) => sum + part, 0),
    )
    return targets.map((target, i) => ({ ...target, weight: shares[i]! }))
  }
  return {
    ...unresolved,
    proxies: unresolved.proxies.map((proxy) => ({
      ...proxy,
      defaultTarget: weigh(proxy.defaultTarget),
      sourceRoutes: proxy.sourceRoutes.map((route) => ({ ...route, targets: weigh(route.targets) })),
    })),
  }
}

function expectShares(targets: readonly Target[]): void {
  expect(new Set(targets.map(({ ip, port }) => `${ip} ${port}`)).size).toBe(targets.length)
  const weights = targets.flatMap(({ weight }) => (weight === null ? [] : [weight]))
  if (weights.length === 0) return
  expect(weights).toHaveLength(targets.length)
  expect(weights.every((weight) => weight >= 1 && weight <= 0xffff)).toBe(true)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  expect(sum % 100).toBe(0)
  const byName = new Map<string, Target[]>()
  for (const target of targets) {
    const key = `${target.origin?.host ?? target.ip} ${target.port}`
    byName.set(key, [...(byName.get(key) ?? []), target])
  }
  for (const group of byName.values()) {
    const all = group.map(({ weight }) => weight ?? 0)
    expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1)
    const [first] = group
    if (first?.origin === undefined) continue
    expect(all.reduce((total, weight) => total + weight, 0)).toBe(((first.origin.weight ?? 0) * sum) / 100)
  }
}
