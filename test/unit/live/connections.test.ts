import { describe, expect, test } from 'vitest'
import { encodeRow } from '../../datapath/support/records.ts'
import type { ConnectionRow } from '../../datapath/support/records.ts'
import { reportConnections } from '../../../src/engine/live/connections.ts'
import type { ConnRecords } from '../../../src/engine/live/connections.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { renderConnections } from '../../../src/render/connections.ts'
import { makePalette } from '../../../src/render/palette.ts'

const proxy = (name: string, address: string | null, ip: string): Snapshot['proxies'][number] => ({
  name,
  listen: { interfaces: ['eth0'], address, port: 80, protocol: 'tcp' },
  forwarding: 'nat',
  defaultTarget: [{ ip, port: 8080, weight: null }],
  sourceRoutes: [],
})
const snapshot: Snapshot = {
  proxies: [
    proxy('any', null, '10.0.0.1'),
    proxy('six', '2001:db8::1', 'fd00::1'),
    proxy('web', '192.0.2.1', '10.0.0.1'),
  ],
  interfaces: [],
  settings: DEFAULT_SETTINGS,
}

const NOW = 0x00001000
const SECOND = 954

function pair(client: string, port: number, listener: string, target: string, ago: number): ConnectionRow[] {
  const family = client.includes(':') ? 6 : 4
  const from = { ip: client, port }
  const [to, nat] = [
    { ip: listener, port: 80 },
    { ip: target, port: 8080 },
  ]
  const both = { family, protocol: 6, state: 'ESTABLISHED', stats: 0 } as const
  return [
    {
      ...both,
      source: from,
      destination: to,
      nat,
      reverse: false,
      packets: 3,
      bytes: 300,
      lastSeen: (NOW - ago - SECOND) >>> 0,
    },
    {
      ...both,
      source: nat,
      destination: from,
      nat: to,
      reverse: true,
      packets: 2,
      bytes: 900,
      lastSeen: (NOW - ago) >>> 0,
    },
  ]
}

function records(family: 4 | 6, rows: readonly ConnectionRow[]): ConnRecords {
  const encoded = rows.map(encodeRow)
  const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
  return {
    family,
    entries: {
      count: rows.length,
      keys: join(encoded.map((e) => e.key)),
      values: join(encoded.map((e) => e.value)),
    },
  }
}

const four = [
  ...pair('198.51.100.1', 4000, '192.0.2.1', '10.0.0.1', 5 * SECOND),
  ...pair('198.51.100.2', 4000, '192.0.2.1', '10.0.0.2', 100_000),
  ...pair('198.51.100.3', 4000, '192.0.2.9', '10.0.0.1', 2 * SECOND),
]
const six = pair('2001:db8::7', 4000, '2001:db8::2', 'fd00::1', 0)
const all = [records(4, four.slice(0, 3)), records(4, four.slice(3)), records(6, six)]

describe('connections', () => {
  test('are counted by proxy and target, whatever is listed', () => {
    expect(reportConnections(all, snapshot, { limit: 0 }, NOW)).toEqual({
      total: 4,
      counts: [
        { proxy: null, target: '[fd00::1]:8080', connections: 1 },
        { proxy: 'any', target: '10.0.0.1:8080', connections: 1 },
        { proxy: 'web', target: '10.0.0.1:8080', connections: 1 },
        { proxy: 'web', target: '10.0.0.2:8080', connections: 1 },
      ],
      states: { established: 4 },
      connections: [],
    })
  })

  test('are listed with both directions, those used last first, also across the wrap of the clock', () => {
    const { connections } = reportConnections(all, snapshot, { limit: 3 }, NOW)
    expect(connections.map(({ client }) => client)).toEqual([
      '[2001:db8::7]:4000',
      '198.51.100.3:4000',
      '198.51.100.1:4000',
    ])
    expect(connections[2]).toEqual({
      ...{ proxy: 'web', protocol: 'tcp', state: 'established', idleSec: 5 },
      ...{ client: '198.51.100.1:4000', listener: '192.0.2.1:80', target: '10.0.0.1:8080' },
      ...{ packetsForward: 3, bytesForward: 300, packetsReverse: 2, bytesReverse: 900 },
    })
    const last = reportConnections(all, snapshot, { limit: 4 }, NOW).connections[3]
    expect(last?.idleSec).toBeCloseTo(104.9, 1)
  })

  test.each([
    [{ proxy: 'web' }, 2],
    [{ target: '10.0.0.1' }, 2],
    [{ target: '10.0.0.2:8080' }, 1],
    [{ target: '10.0.0.2:80' }, 0],
    [{ proxy: 'any', target: '10.0.0.1:8080' }, 1],
  ])('are filtered by %j', (filter, total) => {
    expect(reportConnections(all, snapshot, { ...filter, limit: 20 }, NOW).total).toBe(total)
  })

  test('a half without the other is shown without what came back', () => {
    const report = reportConnections([records(4, four.slice(0, 1))], snapshot, { limit: 1 }, NOW)
    expect(report.connections).toMatchObject([{ packetsReverse: 0, bytesReverse: 0, idleSec: 6 }])
  })
})

test('they are shown with what was evicted and refused', () => {
  const report = reportConnections(all, snapshot, { limit: 1 }, NOW)
  const lost = { evicted: { syn: 7 }, refused: { LB_DROP_CONN_LIMIT: 2 } }
  const removals = [
    {
      proxy: 'old',
      listener: { address: null, port: 80, protocol: 'tcp' },
      ip: '10.0.0.9',
      port: 8080,
      connections: 3,
      until: '2026-01-01T00:01:10.000Z',
    },
  ] as const
  const ended = { removed: 4 }
  const document = {
    ...({ formatVersion: 1, instance: 'default', maxConnections: 100 } as const),
    ...report,
    ...lost,
    ...{ removals, ended },
  }
  expect(renderConnections(document, '2026-01-01T00:00:00.000Z', makePalette(false)))
    .toBe(`4 connections; at most 100.

PROXY       TARGET          CONNECTIONS
(no proxy)  [fd00::1]:8080  1
any         10.0.0.1:8080   1
web         10.0.0.1:8080   1
web         10.0.0.2:8080   1

PROXY       PROTO  STATE        IDLE  CLIENT              LISTENER          TARGET          PACKETS  BYTES
(no proxy)  tcp    established  0 s   [2001:db8::7]:4000  [2001:db8::2]:80  [fd00::1]:8080  3/2      300/900

(3 more: --limit)

REMOVED FROM  TARGET         CONNS  END IN
old           10.0.0.9:8080  3      70 s

evicted: 7 syn
refused: 2 LB_DROP_CONN_LIMIT
ended: 4 of removed targets`)
})
