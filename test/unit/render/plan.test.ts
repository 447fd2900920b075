import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { Drift, Plan } from '../../../src/engine/model/plan.ts'
import type { Proxy } from '../../../src/engine/model/snapshot.ts'
import { DEFAULT_HEALTH_CHECK, DEFAULT_HTTP_CHECK } from '../../../src/engine/model/policy.ts'
import type { HealthCheck } from '../../../src/engine/model/policy.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { makePalette } from '../../../src/render/palette.ts'
import { MAX_SHOWN, renderChanges, renderPlan } from '../../../src/render/plan.ts'
import { deployed, dns, eth0, liveState, planOf, source, web, withProxies } from './plans.ts'

const plain = { palette: makePalette(false) }
const golden = (name: string): string => `../../golden/plan/${name}.txt`
const matches = async (name: string, text: string): Promise<void> =>
  expect(`${text}\n`).toMatchFileSnapshot(golden(name))

test('the first apply creates everything', async () => {
  await matches('create', renderPlan(planOf(EMPTY_DEPLOYMENT, deployed), plain))
})

test('an empty configuration destroys everything', async () => {
  await matches('destroy', renderPlan(planOf(deployed, EMPTY_DEPLOYMENT), plain))
})

const changedWeb: Proxy = {
  ...web,
  listen: { ...web.listen, interfaces: ['eth0', 'eth2'], address: null, port: 8443 },
  defaultTarget: [
    { ip: '10.0.0.1', port: 8080, weight: null },
    { ip: '10.0.0.3', port: 8080, weight: null },
  ],
  sourceRoutes: [
    {
      source: '192.168.0.0/16',
      targets: [
        { ip: '10.0.1.1', port: 8080, weight: 50 },
        { ip: '10.0.1.2', port: 8080, weight: 30 },
        { ip: '10.0.1.4', port: 8080, weight: 20 },
      ],
    },
  ],
}

test('an update shows what differs and counts the rest', async () => {
  const after = {
    snapshot: {
      ...deployed.snapshot,
      proxies: [dns, changedWeb],
      settings: { ...deployed.snapshot.settings, connectionTimeoutSec: 60 },
    },
    attachments: [
      { ...eth0, mode: 'xdp' as const, roles: ['listen' as const] },
      { ...eth0, name: 'eth2', ifindex: 4, attach: 'none' as const, mode: 'none' as const },
    ],
  }
  await matches('update', renderPlan(planOf(deployed, after), plain))
})

test('what is said of targets and the daemon shows what differs from what it usually is', async () => {
  const origin = { host: 'pods.svc.local', weight: 50, dnsRefreshSeconds: 5 }
  const check: HealthCheck = {
    ...DEFAULT_HEALTH_CHECK,
    type: 'http',
    intervalMs: 5000,
    http: { ...DEFAULT_HTTP_CHECK, path: '/up' },
  }
  const settings = { ...DEFAULT_SETTINGS, healthCheckEnabled: true }
  const before = withProxies({
    ...web,
    defaultTarget: [
      { ip: '10.0.0.1', port: 8080, weight: 50, healthCheck: check, drain: true },
      { ip: '10.0.0.2', port: 8080, weight: 25, origin },
      { ip: '10.0.0.3', port: 8080, weight: 25, origin },
    ],
  })
  const changed = withProxies({
    ...web,
    defaultTarget: [
      {
        ip: '10.0.0.1',
        port: 8080,
        weight: 50,
        healthCheck: { ...check, intervalMs: 10_000, timeoutMs: 500 },
      },
      { ip: '10.0.0.2', port: 8080, weight: 25, origin },
      { ip: '10.0.0.4', port: 8080, weight: 25, origin, healthCheck: DEFAULT_HEALTH_CHECK },
    ],
    sourceRoutes: [
      {
        source: '192.0.2.7/32',
        targets: [{ ip: '10.0.1.1', port: 80, weight: null, origin }],
        origin: 'office',
      },
    ],
  })
  const after = { ...changed, snapshot: { ...changed.snapshot, settings } }
  await matches('policies', renderPlan(planOf(before, after), plain))
})

test('nothing to do', async () => {
  await matches('no-changes', renderPlan(planOf(deployed, deployed), plain))
})

test('another program is an upgrade in place', async () => {
  const { plan } = makePlan(liveState(deployed), deployed, { ...source, program: 'b'.repeat(64) })
  await matches('upgrade', renderPlan(plan, plain))
})

const drift: readonly Drift[] = [
  {
    action: 'update',
    address: 'proxy.web.target["10.0.0.1:8080"]',
    before: { backend: 0, weight: 50, flags: 0 },
    after: { backend: 0, weight: 70, flags: 0 },
    where: 'table members',
  },
  {
    action: 'delete',
    address: 'listener["eth1 [::]:53/udp"]',
    before: { proxy: 0, group: 0, flags: 0 },
    after: null,
    where: 'table listeners',
  },
  {
    action: 'create',
    address: 'proxy.web.sourceRoute["172.16.0.0/12"]',
    before: null,
    after: { group: 1 },
    where: 'table routes',
  },
  {
    action: 'update',
    address: 'settings.connectionTimeoutSec',
    before: { value: 300 },
    after: { value: 1 },
    where: 'table settings',
  },
  {
    action: 'delete',
    address: 'interface.eth0.hook["tcx-ingress"]',
    before: { ifindex: 2, program: 81 },
    after: null,
    where: '/sys/fs/bpf/lb/default/link/eth0:tcx-ingress',
  },
]

test('drift stands apart from what is intended', async () => {
  const found = withProxies(dns, {
    ...web,
    defaultTarget: [
      { ip: '10.0.0.1', port: 8080, weight: 70 },
      { ip: '10.0.0.2', port: 8080, weight: 50 },
    ],
  })
  const text = renderPlan(planOf(found, deployed, drift), plain)
  await matches('drift', text)
  expect(text.indexOf('Changes outside of lb')).toBeLessThan(text.indexOf('lb will perform'))
})

test('colours change nothing but colours', async () => {
  const plan = planOf(deployed, withProxies(dns, changedWeb), drift)
  const coloured = renderPlan(plan, { palette: makePalette(true) })
  // eslint-disable-next-line no-control-regex
  expect(coloured.replace(/\x1b\[[0-9]+m/g, '')).toBe(renderPlan(plan, plain))
  await matches('colours', coloured.replaceAll('\x1b', '\\e'))
})

test('what a rollback did is told in the past', async () => {
  const { changes } = planOf(deployed, withProxies(web))
  await matches('past', renderChanges(changes, plain))
  expect(renderChanges([], plain)).toBe('No changes.')
})

test('a huge plan is cut short in each section, and says by how much', () => {
  const targets = Array.from({ length: 1000 }, (_, i) => ({
    ip: `10.1.${i >> 8}.${i & 255}`,
    port: 80,
    weight: null,
  }))
  const route = { source: '10.0.0.0/8', targets }
  const after = withProxies({ ...web, defaultTarget: targets, sourceRoutes: [route] })
  const many = Array.from({ length: 1012 }, (_, i): Drift => ({ ...drift[1]!, address: `listeners[${i}]` }))
  const text = renderPlan(planOf(EMPTY_DEPLOYMENT, after, many), plain)
  const lines = text.split('\n')
  expect(lines.filter((line) => line.startsWith('  # '))).toHaveLength(MAX_SHOWN)
  expect(lines.filter((line) => line.includes('missing from table'))).toHaveLength(MAX_SHOWN)
  expect(lines).toContain('  … and 812 more (use --json for all of them)')
  expect(lines.at(-1)).toMatch(/^Plan: [0-9]+ to add, 0 to change, 0 to destroy\.$/)
  const one = renderChanges(
    planOf(EMPTY_DEPLOYMENT, after).changes.filter(({ address }) => address.includes('sourceRoute')),
    plain,
  )
  expect(one).toContain('            # … and 900 more (use --json for all of them)')
})

test('running text keeps to the width', () => {
  const plan = planOf(deployed, deployed, drift)
  const prose = renderPlan(plan, { ...plain, width: 40 })
    .split('\n')
    .slice(0, 8)
  for (const line of prose.slice(2, 6)) expect(line.length).toBeLessThanOrEqual(40)
})

const hostile = fc.string({ unit: 'binary', maxLength: 30 })

test('no name, value or place can put a control character on the terminal', () => {
  const attributes = fc.dictionary(hostile, fc.jsonValue() as fc.Arbitrary<never>, { maxKeys: 4 })
  fc.assert(
    fc.property(hostile, hostile, attributes, attributes, (address, where, before, after) => {
      const change = { action: 'update', address, before, after } as const
      const plan: Plan = {
        ...planOf(deployed, deployed),
        changes: [change, { action: 'create', address, before: null, after }],
        drift: [
          { ...change, where },
          { action: 'delete', address, before, after: null, where },
        ],
        summary: { create: 1, update: 1, delete: 0 },
      }
      expect(renderPlan(plan, plain).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    }),
  )
})

test('a hostile proxy name stays within its line', () => {
  const name = 'x"\n  # proxy.y will be destroyed\x1b[2J\u202e'
  const text = renderPlan(planOf(EMPTY_DEPLOYMENT, withProxies({ ...web, name })), plain)
  expect(text.split('\n').filter((line) => line.startsWith('  # proxy.y'))).toEqual([])
  expect(text).toContain('\\u001b[2J\\u{202e}')
})
