import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCanonicalYaml } from '../../../src/engine/config/canonical.ts'
import { resolveSnapshot } from '../../../src/engine/config/resolve.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Target } from '../../../src/engine/model/snapshot.ts'
import { resourcesOf } from '../../../src/engine/model/resource.ts'
import { hostsOf } from '../../../src/engine/model/unresolved.ts'
import type { UnresolvedSnapshot } from '../../../src/engine/model/unresolved.ts'
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
      fc.property(tens, tens, fewAnswers, (weights, others, answers) => {
        const [before, after] = [weights, others].map((given) =>
          resolveSnapshot(threeNames(given), answers, { allowUnresolved: true }),
        )
        fc.pre(before?.ok === true && after?.ok === true)
        const [left, right] = [before.snapshot, after.snapshot].map((snapshot) =>
          resourcesOf({ snapshot, attachments: [] }),
        )
        if (diff(left!, right!).length > 0) return
        if (weights.join() !== others.join()) unseen++
        expect(after.snapshot).toEqual(before.snapshot)
      }),
      { numRuns: 1000 },
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

/** Three weights in tens: often different ones come to the same. */
const tens = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 }).map((cuts) => {
  const [first = 0, second = 0] = cuts.sort((a, b) => a - b)
  return [10 * first, 10 * (second - first), 100 - 10 * second]
})

const NAMES = ['a.example', 'b.example', 'c.example']

/** So few addresses that names share them; some have none. */
const fewAnswers = fc
  .tuple(...NAMES.map(() => fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3'])))
  .map((lists) => new Map(lists.flatMap((list, i) => (list.length > 0 ? [[NAMES[i]!, list]] : []))))

function threeNames(weights: readonly number[]): UnresolvedSnapshot {
  const defaultTarget = NAMES.map((host, i) => ({
    host,
    port: 80,
    weight: weights[i] ?? null,
    dnsRefreshSeconds: 30,
  }))
  const listen = { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' } as const
  const proxy = { name: 'web', listen, forwarding: 'nat', defaultTarget, sourceRoutes: [] } as const
  return { proxies: [proxy], interfaces: [], settings: DEFAULT_SETTINGS }
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
