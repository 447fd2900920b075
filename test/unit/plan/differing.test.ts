import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import { countResources, resourcesOf } from '../../../src/engine/model/resource.ts'
import type { Deployment, Proxy, Target } from '../../../src/engine/model/snapshot.ts'
import { diff } from '../../../src/engine/plan/diff.ts'
import { differing } from '../../../src/engine/plan/differing.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { liveState, source } from '../render/plans.ts'

const target: fc.Arbitrary<Target> = fc.record({
  ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
  port: fc.constantFrom(80, 8080),
  weight: fc.constantFrom(null, 40, 60),
})
/** In any order and with doubles, as damaged maps may have them; small, so that two have much in common. */
const proxy: fc.Arbitrary<Proxy> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd.e'),
  listen: fc.record({
    interfaces: fc.constantFrom(['eth0'], ['eth0', 'eth1']),
    address: fc.constant(null),
    port: fc.constantFrom(80, 81),
    protocol: fc.constant('tcp'),
  }),
  forwarding: fc.constant('nat'),
  defaultTarget: fc.array(target, { maxLength: 4 }),
  sourceRoutes: fc.array(
    fc.record({
      source: fc.constantFrom('1.0.0.0/8', '2.0.0.0/8'),
      targets: fc.array(target, { maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
})
const deployment: fc.Arbitrary<Deployment> = fc
  .array(proxy, { maxLength: 4 })
  .map((proxies) => ({ ...EMPTY_DEPLOYMENT, snapshot: { ...EMPTY_DEPLOYMENT.snapshot, proxies } }))

/** What it would be if nothing were left out. */
function expected(before: Deployment, after: Deployment) {
  const changes = diff(resourcesOf(before), resourcesOf(after))
  const touched = new Set(changes.map(({ address }) => address))
  return { changes, unchanged: [...resourcesOf(after).keys()].filter((key) => !touched.has(key)).length }
}

test('a plan is the same whether or not what is equal is left out', () => {
  fc.assert(
    fc.property(deployment, deployment, (before, after) => {
      const { changes, unchanged } = makePlan(liveState(before), after, source).plan
      const wanted = expected(before, after)
      expect(changes).toEqual(wanted.changes)
      // Resources with one address are counted once: where there are such, the count is of something damaged.
      if (countResources(after) === resourcesOf(after).size) expect(unchanged).toBe(wanted.unchanged)
    }),
    { numRuns: 2000 },
  )
})

test('of two equal deployments no proxy is left', () => {
  fc.assert(
    fc.property(fc.uniqueArray(proxy, { selector: ({ name }) => name }), (proxies) => {
      const tidy = proxies
        .map((one) => ({
          ...one,
          defaultTarget: one.defaultTarget.slice(0, 1),
          sourceRoutes: one.sourceRoutes.slice(0, 1),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const one = { ...EMPTY_DEPLOYMENT, snapshot: { ...EMPTY_DEPLOYMENT.snapshot, proxies: tidy } }
      const [before, after] = differing(one, structuredClone(one))
      expect([before.snapshot.proxies, after.snapshot.proxies]).toEqual([[], []])
    }),
  )
})

test.each([
  [undefined, 0, {}, { onRemove: 'reset' }],
  [0, 60, { onRemove: 'reset' }, { onRemove: 'keep', onRemoveDeadlineSec: 60 }],
  [60, undefined, { onRemove: 'keep', onRemoveDeadlineSec: 60 }, {}],
])('what becomes of removed targets is a difference by itself: %s to %s', (from, to, before, after) => {
  const given = (endRemovedAfterSec: number | undefined): Deployment => {
    const listen = { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' } as const
    const only = { ip: '10.0.0.1', port: 80, weight: null }
    const web = { name: 'web', listen, forwarding: 'nat', defaultTarget: [only], sourceRoutes: [] } as const
    const proxies = [{ ...web, ...(endRemovedAfterSec !== undefined && { endRemovedAfterSec }) }]
    return { ...EMPTY_DEPLOYMENT, snapshot: { ...EMPTY_DEPLOYMENT.snapshot, proxies } }
  }
  const { changes } = makePlan(liveState(given(from)), given(to), source).plan
  const usual = {
    listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' },
    forwarding: 'nat',
  }
  expect(changes).toEqual([
    {
      action: 'update',
      address: 'proxy.web',
      before: { ...usual, ...before },
      after: { ...usual, ...after },
    },
  ])
})
