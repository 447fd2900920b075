import { describe, expect, test } from 'vitest'
import { LbError } from '../../../src/engine/model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import type { Drift, ExecutablePlan } from '../../../src/engine/model/plan.ts'
import type { Change } from '../../../src/engine/model/plan.ts'
import type { Deployment, Proxy, Target } from '../../../src/engine/model/snapshot.ts'
import { guardRemovals } from '../../../src/engine/plan/guard.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { repairs } from '../../../src/engine/plan/repairs.ts'
import { staleness } from '../../../src/engine/plan/stale.ts'

const targets = (count: number, from = 1): Target[] =>
  Array.from({ length: count }, (_, i) => ({ ip: `10.0.0.${from + i}`, port: 80, weight: null }))

const proxy = (name: string, defaultTarget: readonly Target[], routed: readonly Target[] = []): Proxy => ({
  name,
  listen: { interfaces: [], address: null, port: 80, protocol: 'tcp' },
  forwarding: 'nat',
  defaultTarget,
  sourceRoutes: routed.length === 0 ? [] : [{ source: '0.0.0.0/0', targets: routed }],
})

const deployed = (...proxies: Proxy[]): Deployment => ({
  ...EMPTY_DEPLOYMENT,
  snapshot: { ...EMPTY_DEPLOYMENT.snapshot, proxies },
})

const liveOf = (deployment: Deployment, options: Partial<LiveState> = {}): LiveState => ({
  instance: 'test',
  generation: 1,
  slot: 0,
  fingerprint: '',
  deployment,
  applied: deployment,
  drift: [],
  program: undefined,
  ...options,
})

const planFrom = (base: Deployment, desired: Deployment): ExecutablePlan =>
  makePlan(liveOf(base), desired, { sources: [], configHash: '', program: undefined })

describe('the guard', () => {
  const guard = (before: readonly Proxy[], after: readonly Proxy[]) => (): void =>
    guardRemovals(planFrom(deployed(...before), deployed(...after)))

  test.each([
    ['9 of 9', 9, 0, false],
    ['3 of 10', 10, 7, false],
    ['4 of 10', 10, 6, true],
    ['30 of 100', 100, 70, false],
    ['31 of 100', 100, 69, true],
    ['all of 10', 10, 0, true],
  ])('%s removed', (_, before, after, refused) => {
    const action = guard([proxy('web', targets(before))], after === 0 ? [] : [proxy('web', targets(after))])
    if (!refused) expect(action).not.toThrow()
    else expect(action).toThrow(`the plan removes ${before - after} of ${before} targets`)
  })

  test('refuses with a code of its own and says how to go on', () => {
    try {
      guard([proxy('web', targets(10))], [])()
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(LbError)
      expect(error).toMatchObject({ code: 'refused', hint: 'if that is meant, add --force' })
    }
  })

  test('counts a target that moved to another proxy as removed, one in two lists of a proxy once', () => {
    expect(guard([proxy('a', targets(10))], [proxy('b', targets(10))])).toThrow('removes 10 of 10')
    const both = proxy('a', targets(5), targets(5))
    expect(guard([both], [])).not.toThrow()
    expect(guard([proxy('a', targets(10), targets(10))], [proxy('a', targets(10))])).not.toThrow()
  })

  test('does not mind what is new', () => {
    expect(guard([proxy('a', targets(10))], [proxy('a', targets(100, 1))])).not.toThrow()
  })
})

describe('a stale plan says what moved', () => {
  const plan = planFrom(deployed(proxy('web', targets(1))), EMPTY_DEPLOYMENT)
  const messageFor = (options: Partial<LiveState>): string => {
    const error = staleness(plan, liveOf(plan.base, options))
    expect(error).toMatchObject({ code: 'stale', hint: 'plan again, look at it, and apply that' })
    return error.message
  }
  const drift = (address: string): Drift => ({
    action: 'delete',
    address,
    before: {},
    after: null,
    where: 'x',
  })

  test('the generation', () => expect(messageFor({ generation: 4 })).toMatch(/changed: generation 1 → 4$/))

  test('resources and drift, each once', () => {
    const message = messageFor({
      deployment: deployed(proxy('web', targets(2))),
      drift: [drift('proxy.web.target["10.0.0.2:80"]'), drift('proxy.web.selection[0]')],
    })
    expect(message).toMatch(/changed: proxy\.web\.target\["10\.0\.0\.2:80"\], proxy\.web\.selection\[0\]$/)
  })

  test('not the drift that it was made with', () => {
    const same = drift('backend["same"]')
    const drifted = liveOf(plan.base, { drift: [same, drift('backend["went"]')] })
    const made = makePlan(drifted, EMPTY_DEPLOYMENT, { sources: [], configHash: '', program: undefined })
    const now = { ...drifted, drift: [same, drift('backend["came"]')] }
    expect(staleness(made, now).message).toMatch(/changed: backend\["came"\], backend\["went"\]$/)
  })

  test('ten of many', () => {
    const message = messageFor({ drift: Array.from({ length: 13 }, (_, i) => drift(`row${i}`)) })
    expect(message).toMatch(/row9 and 3 more$/)
  })

  test('something, where it is none of these', () =>
    expect(messageFor({})).toMatch(/changed: the way the programs are attached$/))
})

describe('repairs', () => {
  const update = (address: string): Change => ({
    action: 'update',
    address,
    before: { x: 1 },
    after: { x: 2 },
  })
  const drifted = (address: string, where = 'table members'): Drift => ({ ...update(address), where })
  const addresses = (drift: readonly Drift[], changes: readonly Change[]): string[] =>
    repairs(drift, changes).map(({ address }) => address)

  test('are the reverse of drift', () => {
    const row = { address: 'backend["x"]', where: 'table backends' }
    expect(
      repairs(
        [
          { ...row, action: 'create', before: null, after: { a: 1 } },
          { ...row, action: 'delete', before: { a: 1 }, after: null },
          { ...row, action: 'update', before: { a: 1 }, after: { a: 2 } },
        ],
        [],
      ),
    ).toEqual([
      { address: row.address, action: 'delete', before: { a: 1 }, after: null },
      { address: row.address, action: 'create', before: null, after: { a: 1 } },
      { address: row.address, action: 'update', before: { a: 2 }, after: { a: 1 } },
    ])
  })

  test('leave out what a change says already', () => {
    expect(addresses([drifted('proxy.web')], [update('proxy.web')])).toEqual([])
    expect(addresses([drifted('proxy.web.group')], [update('proxy.web.target["a"]')])).toEqual([])
    expect(addresses([drifted('proxy["a.b"].group')], [update('proxy["a.b"]')])).toEqual([])
  })

  test('do not mistake one proxy for another', () => {
    expect(addresses([drifted('proxy.web.group')], [update('proxy.web2'), update('proxy["web.x"]')])).toEqual(
      ['proxy.web.group'],
    )
  })

  test('of the selection are always shown, unless the proxy goes', () => {
    const selection = drifted('proxy.web.selection[1]', 'table selection')
    expect(addresses([selection], [update('proxy.web')])).toEqual(['proxy.web.selection[1]'])
    const gone: Change = { action: 'delete', address: 'proxy.web', before: {}, after: null }
    expect(addresses([selection], [gone])).toEqual([])
  })
})
