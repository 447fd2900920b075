import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selectionRun } from '../../src/engine/select/run.ts'
import type { Configuration, Endpoint } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import type { L4 } from '../support/packet.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { forwardFrame, startSession, type Flow } from './support/session.ts'
import { backendRows } from './support/tables.ts'

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

const flow: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
const backend = (host: number, port = 8080): Endpoint => ({ ip: `10.2.0.${host}`, port })

function listen(group: string, port = 80, protocol: L4 = 'tcp'): Configuration['listeners'][number] {
  return { device: 'client0', address: '203.0.113.10', port, protocol, group }
}

/** A client for each number, no two alike. */
const client = (i: number): Flow => ({
  ...flow,
  source: `100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`,
  sourcePort: 1024 + ((i * 7919) % 60000),
})

describe('weights', () => {
  test.each([[[50, 50]], [[1, 99]], [[10, 20, 70]], [[null, null, null]]])('%j', async (weights) => {
    const connections = 10_000
    const backends = weights.map((_, i) => backend(2 + i))
    const run = selectionRun(weights).map((member) => backends[member]!)
    const configuration = { listeners: [listen('all')], groups: { all: run } }
    const rows = backendRows(configuration)
    plane.configure(configuration)
    plane.reset({ partitionEntries: 8192 })
    const frames = Array.from({ length: connections }, (_, i) => forwardFrame(client(i), { flags: 'S' }))
    const seen = await plane.run(
      'xdp',
      frames.map((data) => ({ data, device: 'client0' })),
    )
    expect(new Set(seen.map(({ reason }) => reason))).toEqual(new Set(['LB_REDIRECT']))
    for (const { ip } of backends) {
      const share = run.filter((entry) => entry.ip === ip).length / run.length
      const count = seen.filter(({ data }) => data.subarray(30, 34).join('.') === ip).length
      // Six standard deviations of a binomial distribution: one run in 500 million fails by chance.
      const allowed = 6 * Math.sqrt(connections * share * (1 - share))
      expect(Math.abs(count - connections * share), `${ip}: ${count}`).toBeLessThan(allowed)
      expect(plane.counters(rows.findIndex((row) => row.ip === ip && row.protocol === 'tcp')).opened).toBe(
        count,
      )
    }
    plane.reset()
  })
})

describe('source routes', () => {
  const cidrs = ['100.64.0.0/10', '100.64.0.0/16', '100.64.7.0/24', '100.64.7.9/32', '0.0.0.0/0']
  const routed: Configuration = {
    listeners: [
      { ...listen('default'), routes: cidrs.slice(0, 4).map((source) => ({ source, group: source })) },
      { ...listen('default', 81), routes: [{ source: '0.0.0.0/0', group: '0.0.0.0/0' }] },
      listen('default', 82),
      {
        ...listen('default6'),
        address: '2001:db8::10',
        routes: [
          { source: 'fd64::/16', group: 'net6' },
          { source: 'fd64:7::/32', group: 'subnet6' },
          // Covers the mapped form of every IPv4 address, and none of them may match.
          { source: '::/0', group: 'all6' },
        ],
      },
    ],
    groups: {
      default: [backend(2)],
      ...Object.fromEntries(cidrs.map((source, i) => [source, [backend(3 + i)]])),
      default6: [{ ip: 'fd02::2', port: 1 }],
      net6: [{ ip: 'fd02::3', port: 1 }],
      subnet6: [{ ip: 'fd02::4', port: 1 }],
      all6: [{ ip: 'fd02::5', port: 1 }],
    },
  }

  test.each([
    ['100.64.7.9', 80, '10.2.0.6'],
    ['100.64.7.8', 80, '10.2.0.5'],
    ['100.64.8.1', 80, '10.2.0.4'],
    ['100.65.0.1', 80, '10.2.0.3'],
    ['198.51.100.1', 80, '10.2.0.2'],
    ['198.51.100.1', 81, '10.2.0.7'],
    ['100.64.7.9', 81, '10.2.0.7'],
    ['100.64.7.9', 82, '10.2.0.2'],
    ['fd64:7::1', 80, 'fd02::4'],
    ['fd64:8::1', 80, 'fd02::3'],
    ['2001:db8:99::1', 80, 'fd02::5'],
  ])('a client at %s reaches port %i at %s', async (source, destinationPort, wanted) => {
    const session = startSession(plane, routed)
    const destination = source.includes(':') ? '2001:db8::10' : flow.destination
    for (const hook of ['xdp', 'ingress'] as const) {
      const sourcePort = hook === 'xdp' ? 4000 : 4001
      const one = { ...flow, source, destination, destinationPort, sourcePort }
      await session.forward(hook, one, { flags: 'S' })
      expect(session.connection(one)?.backend.ip).toBe(wanted)
    }
    session.verify()
  })
})

test('a connection keeps its backend when weights and targets change', async () => {
  const session = startSession(plane, { listeners: [listen('all')], groups: { all: [backend(2)] } })
  await session.forward('xdp', flow, { flags: 'S' })
  session.activate({ listeners: [listen('all')], groups: { all: [backend(3)] } }, 5)
  await session.forward('xdp', flow)
  await session.reply('xdp', flow, { flags: 'SA' })
  await session.forward('ingress', { ...flow, sourcePort: 4001 }, { flags: 'S' })
  expect(session.model.connections.map((c) => c.backend.ip)).toEqual(['10.2.0.2', '10.2.0.3'])
  session.activate({ listeners: [], groups: {} }, 0)
  await session.forward('xdp', flow)
  await session.reply('ingress', flow)
  expect((await session.forward('xdp', { ...flow, sourcePort: 4002 }, { flags: 'S' })).fate.reason).toBe(
    'LB_PASS_NO_LISTENER',
  )
})

describe.each(['xdp', 'ingress'] as const)('at %s', (hook) => {
  test('a record past its timeout is used until it is swept', async () => {
    const session = startSession(plane, { listeners: [listen('all')], groups: { all: [backend(2)] } })
    await session.forward(hook, flow, { flags: 'S' })
    for (const row of plane.connections()) plane.change(row, { lastSeen: (row.lastSeen - 2 ** 29) >>> 0 })
    await session.reply(hook, flow, { flags: 'SA' })
    await session.forward(hook, flow)
    session.verify()
  })

  test('connections of one client address and port never share a backend', async () => {
    const hosts = [2, 3, 4, 5, 6, 7, 8, 9]
    const session = startSession(plane, {
      listeners: hosts.concat(10).map((_, i) => listen('all', 80 + i)),
      groups: { all: hosts.map((host) => backend(host)) },
    })
    for (const [i] of hosts.entries())
      await session.forward(hook, { ...flow, destinationPort: 80 + i }, { flags: 'S' })
    expect(new Set(session.model.connections.map((c) => c.backend.ip)).size).toBe(hosts.length)
    const last = { ...flow, destinationPort: 88 }
    expect((await session.forward(hook, last, { flags: 'S' })).fate.reason).toBe('LB_DROP_TUPLE_CONFLICT')
    // Those that exist are not disturbed, and another client port is another matter.
    for (const [i] of hosts.entries()) {
      const one = { ...flow, destinationPort: 80 + i }
      await session.forward(hook, one)
      await session.reply(hook, one)
    }
    await session.forward(hook, { ...last, sourcePort: 4001 }, { flags: 'S' })
    session.verify()
  })

  test('a full table drops what would be new, and leaves no half behind', async () => {
    const configuration = {
      listeners: [listen('all'), listen('all', 80, 'udp')],
      groups: { all: [backend(2)] },
    }
    startSession(plane, configuration)
    plane.reset({ partitionEntries: 32 })
    const clients = Array.from({ length: 200 }, (_, i) => client(i))
    const seen = await plane.run(
      hook,
      clients.map((one) => ({ data: forwardFrame(one, { flags: 'S' }), device: 'client0' })),
    )
    const reasons = new Set(seen.map(({ reason }) => reason))
    expect(reasons).toEqual(new Set(['LB_REDIRECT', 'LB_DROP_CONN_TABLE_FULL']))
    const opened = seen.filter(({ reason }) => reason === 'LB_REDIRECT').length
    const rows = plane.connections()
    expect(rows.filter(({ reverse }) => reverse)).toHaveLength(opened)
    expect(rows.filter(({ reverse }) => !reverse)).toHaveLength(opened)
    expect(plane.counters(0)).toMatchObject({ opened, closed: 0 })
    plane.reset()
  })

  test('a reverse half whose forward half was deleted gives way to the same connection', async () => {
    const configuration = { listeners: [listen('all'), listen('all', 81)], groups: { all: [backend(2)] } }
    startSession(plane, configuration)
    const send = async (one: Flow): Promise<string> => {
      const [seen] = await plane.run(hook, [{ data: forwardFrame(one, { flags: 'S' }), device: 'client0' }])
      return seen!.reason
    }
    expect(await send(flow)).toBe('LB_REDIRECT')
    plane.remove(plane.connections().find(({ reverse }) => !reverse)!)
    // To another listener it would be another connection with the same 5-tuple.
    expect(await send({ ...flow, destinationPort: 81 })).toBe('LB_DROP_TUPLE_CONFLICT')
    expect(await send(flow)).toBe('LB_REDIRECT')
    expect(plane.connections()).toHaveLength(2)
    expect(plane.counters(0)).toMatchObject({ opened: 2, closed: 1 })
  })
})
