/** Health checks, drains, names and the settings of the daemon in plans. */
import { describe, expect, test } from 'vitest'
import { DEFAULT_HEALTH_CHECK } from '../../../src/engine/model/policy.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Deployment, Settings, Target } from '../../../src/engine/model/snapshot.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import type { Change } from '../../../src/engine/model/plan.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'

const TARGET: Target = { ip: '10.0.0.1', port: 80, weight: null }

interface Parts {
  readonly target?: Partial<Target>
  readonly settings?: Partial<Settings>
}

const deployment = ({ target, settings }: Parts): Deployment => ({
  snapshot: {
    proxies: [
      {
        name: 'web',
        listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' },
        forwarding: 'nat',
        defaultTarget: [{ ...TARGET, ...target }],
        sourceRoutes: [{ source: '192.0.2.0/24', targets: [{ ...TARGET, port: 81, ...target }] }],
      },
    ],
    interfaces: [],
    settings: { ...DEFAULT_SETTINGS, ...settings },
  },
  attachments: [],
})

function planned(
  from: Parts,
  to: Parts,
): { readonly changes: readonly Change[]; readonly unchanged: number } {
  const live: LiveState = {
    instance: 'test',
    generation: 1,
    slot: 0,
    fingerprint: '',
    deployment: deployment(from),
    applied: undefined,
    drift: [],
    program: undefined,
  }
  return makePlan(live, deployment(to), { sources: [], configHash: '', program: undefined }).plan
}

const check = { ...DEFAULT_HEALTH_CHECK, intervalMs: 5000 }
const origin = { host: 'pods.local', weight: null, dnsRefreshSeconds: 5 }
const ADDRESS = 'proxy.web.target["10.0.0.1:80"]'
const ROUTE = 'proxy.web.sourceRoute["192.0.2.0/24"]'

describe('what is said of a target', () => {
  test.each<[string, Partial<Target>, Change['after']]>([
    [
      'a health check',
      { healthCheck: check },
      { weight: null, healthCheck: { type: 'tcp', intervalMs: 5000 } },
    ],
    ['a drain', { drain: true }, { weight: null, drain: true }],
    ['a name', { origin }, { weight: null, host: 'pods.local', dnsRefreshSeconds: 5 }],
  ])('%s is a change when it comes and when it goes, and none when it stays', (_, target, attributes) => {
    const plain = { weight: null }
    const { changes, unchanged } = planned({}, { target })
    expect(changes).toEqual([
      { action: 'update', address: ADDRESS, before: plain, after: attributes },
      {
        action: 'update',
        address: ROUTE,
        before: { targets: { '10.0.0.1:81': null } },
        after: { targets: { '10.0.0.1:81': attributes } },
      },
    ])
    expect(unchanged).toBe(9)
    expect(planned({ target }, {}).changes.map(({ before, after }) => [before, after])).toEqual(
      changes.map(({ before, after }) => [after, before]),
    )
    expect(planned({ target }, { target: structuredClone(target) }).changes).toEqual([])
  })

  test('only what differs from the defaults is listed', () => {
    const { changes } = planned(
      { target: { healthCheck: check } },
      { target: { healthCheck: DEFAULT_HEALTH_CHECK } },
    )
    expect(changes[0]).toMatchObject({
      before: { healthCheck: { type: 'tcp', intervalMs: 5000 } },
      after: { healthCheck: { type: 'tcp' } },
    })
  })
})

describe('a setting of the daemon', () => {
  const settings = {
    onDrift: 'reconcile',
    circuitBreaker: { ...DEFAULT_SETTINGS.circuitBreaker, enabled: true },
  } as const

  test('is updated, not created, when it is no longer the default', () => {
    const { changes, unchanged } = planned({}, { settings })
    expect(changes).toEqual([
      {
        action: 'update',
        address: 'settings.circuitBreaker',
        before: { value: DEFAULT_SETTINGS.circuitBreaker },
        after: { value: settings.circuitBreaker },
      },
      {
        action: 'update',
        address: 'settings.onDrift',
        before: { value: 'report' },
        after: { value: 'reconcile' },
      },
    ])
    expect(unchanged).toBe(11)
  })

  test('is updated, not deleted, when it is the default again', () => {
    const { changes, unchanged } = planned({ settings }, {})
    expect(changes.map(({ action, address }) => `${action} ${address}`)).toEqual([
      'update settings.circuitBreaker',
      'update settings.onDrift',
    ])
    expect(changes[1]).toMatchObject({ before: { value: 'reconcile' }, after: { value: 'report' } })
    expect(unchanged).toBe(11)
  })

  test('stays as it is', () => {
    expect(planned({ settings }, { settings: structuredClone(settings) })).toMatchObject({
      changes: [],
      unchanged: 13,
    })
  })
})
