import { expect, test } from 'vitest'
import type { StatusDocument, TargetStatus } from '../../../src/engine/model/status.ts'
import { makePalette } from '../../../src/render/palette.ts'
import { renderStatus } from '../../../src/render/status.ts'

const at = '2026-01-01T12:00:00.000Z'
const before = (seconds: number) => new Date(Date.parse(at) - seconds * 1000).toISOString()

const target: TargetStatus = {
  source: null,
  ip: '10.0.0.1',
  port: 8080,
  host: null,
  weight: 50,
  share: 50,
  effectiveShare: 71,
  cause: 'configured',
  factor: 1_000_000,
  health: { state: 'healthy', since: before(400), recovery: 4, last: null },
  drain: { state: 'none', since: null, deadline: null, initial: 0 },
  breaker: { state: 'closed', since: null, forced: false, errorRate: 0 },
  connections: 12,
}

const document: StatusDocument = {
  formatVersion: 1,
  instance: 'default',
  at,
  generation: { number: 7, createdAt: before(7300), user: 'root', sources: ['/etc/lb/lb.yaml'] },
  confirmation: null,
  removals: [],
  drift: [],
  daemon: {
    formatVersion: 1,
    instance: 'default',
    pid: 42,
    version: '0.1.0',
    startedAt: before(90),
    approve: 'manual',
    onDrift: 'report',
    files: { paths: ['/etc/lb'], state: 'valid', problem: null },
    agreement: {
      state: 'pending',
      since: before(5),
      message: null,
      summary: { create: 1, update: 1, delete: 0 },
      changes: [
        { action: 'create', address: 'proxy.api' },
        { action: 'update', address: 'proxy.web' },
      ],
    },
    lastReload: {
      at: before(5),
      trigger: 'file',
      outcome: 'pending',
      generation: 7,
      ms: 12.5,
      message: null,
    },
    names: [
      {
        host: 'a.test',
        family: 'ipv4',
        addresses: ['10.0.0.9'],
        resolvedAt: null,
        failures: 2,
        error: 'timeout',
      },
      { host: 'b.test', family: 'ipv4', addresses: ['10.0.0.8'], resolvedAt: at, failures: 0, error: null },
    ],
    reloads: {},
  },
  interfaces: [{ name: 'eth0', attach: 'auto', mode: 'xdp', roles: ['listen', 'backend'] }],
  proxies: [
    {
      name: 'web',
      listen: { interfaces: ['eth0'], address: '203.0.113.10', port: 80, protocol: 'tcp' },
      connections: 15,
      targets: [
        target,
        {
          ...target,
          ip: '2001:db8::1',
          host: 'b.test',
          weight: 30,
          share: 30,
          effectiveShare: 0,
          cause: 'health',
          health: {
            state: 'unhealthy',
            since: before(30),
            recovery: 1,
            last: { at: before(1), ok: false, latencyMs: 3, error: 'connection\u001b refused' },
          },
          drain: { state: 'draining', since: before(10), deadline: before(-20), initial: 9 },
          breaker: { state: 'half-open', since: at, forced: false, errorRate: 0.25 },
          connections: 3,
        },
      ],
    },
  ],
}

test('one screen', () => {
  expect(renderStatus(document, makePalette(false))).toBe(
    `Instance  default
Serving   generation 7, made 2 h ago by root from /etc/lb/lb.yaml
Daemon    process 42, for 90 s; approve: manual, onDrift: report
Files     /etc/lb
Kernel    a plan waits for \`lb apply\`: 2 changes: proxy.api, proxy.web
Reload    pending 5 s ago (file, 12.5 ms)
Name      a.test (ipv4): timeout; goes on with the 1 known

INTERFACE  ATTACHED    FOR
eth0       xdp (auto)  listen, backend

web  203.0.113.10:80/tcp on eth0: 15 connections
  TARGET                       WEIGHT  SHARE  NOW   WHY     CONNS  DRAIN              CIRCUIT                  HEALTH
  10.0.0.1:8080                50      50 %   71 %  -       12     -                  closed                   healthy for 6 min
  [2001:db8::1]:8080 (b.test)  30      30 %   0 %   health  3      3 of 9, 20 s left  half-open (25 % errors)  unhealthy for 30 s: connection\\x1b refused, 1 s ago`,
  )
})

test('nothing to show is said too', () => {
  const empty = { ...document, generation: null, daemon: null, interfaces: [], proxies: [] }
  expect(renderStatus(empty, makePalette(false))).toBe(
    `Instance  default
Serving   nothing is applied
Daemon    none runs: what follows is what the kernel's maps tell`,
  )
})

test.each([
  [
    { kind: 'asked', previous: 6, secondsLeft: 42, overdue: false },
    'generation 7 waits for `lb confirm`, 42 s left; otherwise generation 6 serves again',
  ],
  [
    { kind: 'watched', previous: 0, secondsLeft: 1, overdue: false },
    'generation 7 is being watched, 1 s left; otherwise nothing serves any more',
  ],
  [
    { kind: 'asked', previous: 6, secondsLeft: 0, overdue: true },
    'the time is up: generation 6 serves again with the next `lb apply`',
  ],
] as const)('a generation that is to be confirmed: %j', (pending, line) => {
  const waiting = { ...document, confirmation: { ...pending, generation: 7, until: at } }
  expect(renderStatus(waiting, makePalette(false)).split('\n')[2]).toBe(`Confirm   ${line}`)
})

test('connections of removed targets that are to end', () => {
  const removals = [
    {
      proxy: 'web',
      listener: { address: null, port: 80, protocol: 'tcp' },
      ip: 'fd00::1',
      port: 8080,
      connections: 3,
      until: before(-20),
    },
    {
      proxy: 'old',
      listener: { address: null, port: 80, protocol: 'tcp' },
      ip: '10.0.0.1',
      port: 8080,
      connections: 12,
      until: before(1),
    },
  ] as const
  expect(
    renderStatus({ ...document, removals }, makePalette(false))
      .split('\n')
      .slice(-3)
      .join('\n'),
  ).toBe(
    `REMOVED FROM  TARGET          CONNS  END IN
web           [fd00::1]:8080  3      20 s
old           10.0.0.1:8080   12     now`,
  )
})
