import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, identityOf, numberDeployment } from '../../../src/engine/abi/compile.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { rowsOver } from '../../../src/engine/abi/struct.ts'
import { TABLE_NAMES, TABLES } from '../../../src/engine/abi/tables.ts'
import type { TableImage, TableImages } from '../../../src/engine/abi/tables.ts'
import { decode } from '../../../src/engine/live/decode.ts'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Deployment, Proxy } from '../../../src/engine/model/snapshot.ts'
import { deployment } from '../../support/arbitrary.ts'
import { countersOf, shuffled } from '../../support/arbitrary-tables.ts'

describe('a deployment comes back as it was compiled', () => {
  test('whatever it is', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        expect(decode(compile(given, countersOf(given)), given.snapshot)).toEqual(given)
      }),
      { numRuns: 150 },
    )
  })

  test('in whatever order hashes give their entries', () => {
    fc.assert(
      fc.property(deployment, fc.infiniteStream(fc.nat()), (given, random) => {
        const tables = shuffled(compile(given, countersOf(given)), random)
        expect(decode(tables, given.snapshot)).toEqual(given)
      }),
    )
  })

  test('when it is empty', () => {
    const tables = compile(EMPTY_DEPLOYMENT, [])
    expect(decode(tables)).toEqual(EMPTY_DEPLOYMENT)
    for (const name of TABLE_NAMES) {
      expect(tables[name].count, name).toBe(TABLES[name].kind === 'array' ? 1 : 0)
    }
  })
})

describe('compiling', () => {
  test('gives the same bytes each time, rows of the sizes that the kernel has', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        const tables = compile(given, countersOf(given))
        expect(compile(structuredClone(given), countersOf(given))).toEqual(tables)
        for (const name of TABLE_NAMES) {
          const { count, keys, values } = tables[name]
          expect(keys.length, name).toBe(count * TABLES[name].keySize)
          expect(values.length, name).toBe(count * TABLES[name].valueSize)
        }
      }),
    )
  })

  test('refers to rows that are there, and gives every listener its own key', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        const tables = compile(given, countersOf(given))
        const groups = rowsOver('lb_group', tables.groups.values)
        const used = given.snapshot.proxies.length === 0 ? 0 : groups.count
        for (let row = 0; row < used; row++) {
          const first = groups.get(row, 'selection')
          const count = groups.get(row, 'selection_count')
          expect(count).toBeGreaterThan(0)
          expect(first + count).toBeLessThanOrEqual(tables.selection.count)
          expect(groups.get(row, 'proxy')).toBeLessThan(tables.proxies.count)
        }
        for (const backend of new Uint32Array(tables.selection.values.buffer)) {
          expect(backend).toBeLessThan(tables.backends.count)
        }
        const { keys, count } = tables.listeners
        const distinct = new Set(
          Array.from({ length: count }, (_, i) => keys.subarray(24 * i, 24 * i + 24).join()),
        )
        expect(distinct.size).toBe(count)
      }),
    )
  })

  const target = { ip: '10.0.0.1', port: 8080, weight: null }
  const web: Proxy = {
    name: 'web',
    listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' },
    forwarding: 'nat',
    defaultTarget: [target, { ...target, ip: '10.0.0.2' }],
    sourceRoutes: [
      { source: '10.0.0.0/8', targets: [target, { ...target, ip: '10.0.0.2' }] },
      { source: '192.0.2.0/24', targets: [target] },
    ],
  }
  const eth0 = {
    name: 'eth0',
    ifindex: 2,
    attach: 'auto',
    mode: 'tcx',
    roles: ['listen'],
    xdpXmit: false,
  } as const
  const given: Deployment = {
    snapshot: { proxies: [web], interfaces: [], settings: { ...DEFAULT_SETTINGS, connectionTimeoutSec: 77 } },
    attachments: [eth0],
  }

  test('shares groups between equal lists, and backends between groups', () => {
    const { backends, groups, proxies } = numberDeployment(given)
    expect(backends.map(({ ip, port }) => `${ip}:${port}`)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080'])
    expect(groups).toHaveLength(2)
    expect(proxies).toEqual([{ group: 0, routeGroups: [0, 1] }])
  })

  test('tells listeners with source routes from those without', () => {
    const flagsOf = (proxy: Proxy): number => {
      const one = { ...given, snapshot: { ...given.snapshot, proxies: [proxy] } }
      return rowsOver('lb_listener', compile(one, countersOf(one)).listeners.values).get(0, 'flags')
    }
    expect(flagsOf(web)).toBe(enums.lb_listener_flag.LB_LISTENER_SOURCE_ROUTES)
    expect(flagsOf({ ...web, sourceRoutes: [] })).toBe(0)
  })

  test('puts the row of counters of each backend into it', () => {
    const backends = rowsOver('lb_backend', compile(given, [4711, 0]).backends.values)
    expect([backends.get(0, 'stats'), backends.get(1, 'stats')]).toEqual([4711, 0])
    expect(() => compile(given, [])).toThrow(/no row of counters .* 10\.0\.0\.1:8080\/tcp/)
    expect(identityOf('fd00::1', 53, 'udp')).toBe('[fd00::1]:53/udp')
  })

  test('refuses a listener on an interface that is attached to nothing', () => {
    expect(() => compile({ ...given, attachments: [] }, countersOf(given))).toThrow(
      /eth0 is in no attachment/,
    )
  })

  test('writes every timeout', () => {
    const row = rowsOver('lb_settings', compile(given, countersOf(given)).settings.values)
    expect(row.get(0, 'tcp_established_sec')).toBe(77)
    expect([row.get(0, 'tcp_syn_sec'), row.get(0, 'udp_stream_sec')]).toEqual([30, 180])
  })
})

describe('decoding is total', () => {
  const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length })
  const image = (name: keyof TableImages): fc.Arbitrary<TableImage> =>
    fc.integer({ min: TABLES[name].kind === 'array' ? 1 : 0, max: 3 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        keys: bytes(count * TABLES[name].keySize),
        values: bytes(count * TABLES[name].valueSize),
      }),
    )
  const foreign = fc.record(
    Object.fromEntries(TABLE_NAMES.map((name) => [name, image(name)])),
  ) as fc.Arbitrary<TableImages>

  test('on bytes that nobody compiled', () => {
    fc.assert(
      fc.property(foreign, (tables) => {
        const found = decode(tables)
        expect(found.snapshot.proxies.length).toBeLessThanOrEqual(tables.proxies.count)
      }),
    )
  })

  test('on deployments with some bytes changed', () => {
    const change = fc.tuple(fc.constantFrom(...TABLE_NAMES), fc.nat(), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(deployment, fc.array(change, { minLength: 1, maxLength: 5 }), (given, changes) => {
        const tables = compile(given, countersOf(given))
        for (const [name, at, value] of changes) {
          const { values } = tables[name]
          if (values.length > 0) values[at % values.length] = value
        }
        expect(() => decode(tables, given.snapshot)).not.toThrow()
      }),
    )
  })
})
