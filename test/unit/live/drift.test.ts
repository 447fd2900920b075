import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/engine/abi/compile.ts'
import { describeRow } from '../../../src/engine/abi/describe.ts'
import { indexKeys } from '../../../src/engine/abi/key-index.ts'
import { TABLES, valueAt } from '../../../src/engine/abi/tables.ts'
import type { TableImages, TableName } from '../../../src/engine/abi/tables.ts'
import { decode } from '../../../src/engine/live/decode.ts'
import { tableDrift } from '../../../src/engine/live/drift.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Deployment } from '../../../src/engine/model/snapshot.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { deployment } from '../../support/arbitrary.ts'
import {
  countersOf,
  entriesOfImage,
  imageOf,
  shuffled,
  tamper,
  tampering,
} from '../../support/arbitrary-tables.ts'

const given: Deployment = {
  snapshot: {
    proxies: [
      {
        name: 'dns.internal',
        listen: { interfaces: ['eth0', 'eth1'], address: 'fd00::53', port: 53, protocol: 'udp' },
        forwarding: 'nat',
        defaultTarget: [{ ip: 'fd00::1', port: 5353, weight: null }],
        sourceRoutes: [],
      },
      {
        name: 'web',
        listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' },
        forwarding: 'nat',
        defaultTarget: [
          { ip: '10.0.0.1', port: 8080, weight: 60 },
          { ip: '10.0.0.2', port: 8080, weight: 40 },
        ],
        sourceRoutes: [{ source: '192.0.2.0/24', targets: [{ ip: '10.0.0.3', port: 8080, weight: null }] }],
      },
    ],
    interfaces: [],
    settings: DEFAULT_SETTINGS,
  },
  attachments: [
    { name: 'eth0', ifindex: 2, attach: 'auto', mode: 'xdp', roles: ['listen'], xdpXmit: true },
    { name: 'eth1', ifindex: 3, attach: 'auto', mode: 'tcx', roles: ['listen', 'backend'], xdpXmit: false },
  ],
}
const compiled = (): TableImages => compile(given, countersOf(given))

/** Addresses of the drift after one byte of a row was flipped. */
function afterFlip(table: TableName, row: number, byte: number): string[] {
  const tables = compiled()
  const { valueSize } = TABLES[table]
  tables[table].values[row * valueSize + byte]! ^= 1
  return tableDrift(given, compiled(), tables).map(({ address }) => address)
}

describe('a row is named after what it is a part of', () => {
  test.each([
    ['listeners', 1, 4, 'listener["eth1 [fd00::53]:53/udp"]'],
    ['listeners', 2, 0, 'listener["eth0 0.0.0.0:80/tcp"]'],
    ['routes', 0, 0, 'proxy.web.sourceRoute["192.0.2.0/24"]'],
    ['groups', 0, 4, 'proxy["dns.internal"].group'],
    ['groups', 1, 0, 'proxy.web.group'],
    ['groups', 2, 0, 'proxy.web.sourceRoute["192.0.2.0/24"].group'],
    ['backends', 0, 15, 'backend["[fd00::1]:5353/udp"]'],
    ['backends', 2, 20, 'backend["10.0.0.2:8080/tcp"]'],
    ['selection', 0, 0, 'proxy["dns.internal"].selection[0]'],
    ['selection', 8, 0, 'proxy.web.selection[7]'],
    ['selection', 101, 0, 'proxy.web.sourceRoute["192.0.2.0/24"].selection[0]'],
    ['members', 1, 4, 'proxy.web.target["10.0.0.1:8080"]'],
    ['members', 3, 4, 'proxy.web.sourceRoute["192.0.2.0/24"].target["10.0.0.3:8080"]'],
    ['proxies', 1, 0, 'proxy.web'],
    ['interfaces', 1, 17, 'interface.eth1'],
    ['settings', 0, 4, 'settings.connectionTimeoutSec'],
    ['settings', 0, 0, 'settings.synTimeoutSec'],
    ['settings', 0, 28, 'settings.maxConnections'],
    ['settings', 0, 60, 'settings.reserved'],
  ] as const)('%s %i', (table, row, byte, address) => expect(afterFlip(table, row, byte)).toEqual([address]))

  test('also where it is gone, or was never there', () => {
    const listeners = entriesOfImage('listeners', compiled().listeners)
    const gone = { ...compiled(), listeners: imageOf(listeners.slice(1)) }
    expect(tableDrift(given, compiled(), gone)).toMatchObject([
      {
        action: 'delete',
        address: 'listener["eth0 [fd00::53]:53/udp"]',
        after: null,
        where: 'table listeners',
      },
    ])
    const key = listeners[0]!.key.slice()
    key[16] = 99
    const more = { ...compiled(), listeners: imageOf([...listeners, { key, value: listeners[0]!.value }]) }
    expect(tableDrift(given, compiled(), more)).toMatchObject([
      { action: 'create', address: 'listener["ifindex-99 [fd00::53]:53/udp"]', before: null },
    ])
  })

  test('also in a table that is of another length', () => {
    const proxies = entriesOfImage('proxies', compiled().proxies)
    const shorter = { ...compiled(), proxies: imageOf(proxies.slice(0, 1)) }
    expect(tableDrift(given, compiled(), shorter)).toMatchObject([{ action: 'delete', address: 'proxy.web' }])
    const longer = { ...compiled(), proxies: imageOf([...proxies, proxies[0]!]) }
    expect(tableDrift(given, compiled(), longer)).toMatchObject([{ action: 'create', address: 'proxies[2]' }])
  })

  test('with both of its states', () => {
    const tables = compiled()
    tables.members.values[16 + 4] = 61
    expect(tableDrift(given, compiled(), tables)).toEqual([
      {
        action: 'update',
        address: 'proxy.web.target["10.0.0.1:8080"]',
        before: { backend: 1, weight: 60, flags: 0 },
        after: { backend: 1, weight: 61, flags: 0 },
        where: 'table members',
      },
    ])
  })
})

test('what was compiled has not drifted, in whatever order', () => {
  fc.assert(
    fc.property(deployment, fc.infiniteStream(fc.nat()), (some, random) => {
      const tables = compile(some, countersOf(some))
      expect(tableDrift(some, tables, shuffled(tables, random))).toEqual([])
    }),
  )
})

test('one changed row is one drift, with the states of that row', () => {
  fc.assert(
    fc.property(deployment, tampering, (some, change) => {
      const expected = compile(some, countersOf(some))
      const found = tamper(compile(some, countersOf(some)), change)
      fc.pre(found !== undefined)
      const drift = tableDrift(some, expected, found.tables)
      expect(drift).toHaveLength(1)
      expect(drift[0]!.where).toBe(`table ${change.table}`)
      expect(drift[0]!.action).toBe({ change: 'update', remove: 'delete', add: 'create' }[change.action])
      if (change.table === 'settings') return
      const stateOf = (tables: TableImages) => describeKeyed(change.table, tables, found.key)
      expect([drift[0]!.before, drift[0]!.after]).toEqual([stateOf(expected), stateOf(found.tables)])
    }),
    { numRuns: 150 },
  )
})

function describeKeyed(name: TableName, tables: TableImages, key: Uint8Array) {
  const spec = TABLES[name]
  const row = indexKeys(tables[name].keys, spec.keySize).find(key, 0)
  return row === -1 ? null : describeRow(name, valueAt(spec, tables[name], row))
}

test('drift never goes without a change in the plan that puts it right', () => {
  fc.assert(
    fc.property(deployment, fc.array(tampering, { minLength: 1, maxLength: 4 }), (some, changes) => {
      const expected = compile(some, countersOf(some))
      let tables = compile(some, countersOf(some))
      for (const change of changes) tables = tamper(tables, change)?.tables ?? tables
      const drift = tableDrift(some, expected, tables)
      const live: LiveState = {
        instance: 'test',
        generation: 1,
        slot: 0,
        fingerprint: '',
        deployment: decode(tables, some.snapshot),
        applied: some,
        drift,
        program: undefined,
      }
      const { plan } = makePlan(live, some, { sources: [], configHash: '', program: undefined })
      expect(plan.drift).toBe(drift)
      expect(plan.changes.length > 0).toBe(drift.length > 0)
    }),
    { numRuns: 100 },
  )
})
