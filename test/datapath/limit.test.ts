import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { enums } from '../../src/engine/abi/layout.generated.ts'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import type { ConnState } from '../support/model-tcp.ts'
import type { Configuration, Tally } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { world } from './support/network.ts'
import type { Frame } from './support/runner.ts'
import { forwardFrame, replyFrame, type Flow } from './support/session.ts'
import { makeTables } from './support/tables.ts'

/** `maxConnections`: who gets in, who has to go, and that nobody is counted twice or forgotten. */

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), {
    sweepCycleMs: 40,
    partitionEntries: 30_000,
    processes: 2,
  })
})
afterAll(() => plane.close())

const backend = { ip: '10.2.0.2', port: 8080 }
const backend6 = { ip: 'fd02::2', port: 8080 }
const configuration: Configuration = {
  listeners: (['tcp', 'udp'] as const).flatMap((protocol) => [
    { device: 'client0', address: '203.0.113.10', port: 80, protocol, group: 'v4' },
    { device: 'client0', address: '2001:db8::10', port: 80, protocol, group: 'v6' },
  ]),
  groups: { v4: [backend], v6: [backend6] },
}
/** Rows of counters: [v4/tcp, v4/udp, v6/tcp, v6/udp]. */
const ROWS = [0, 1, 2, 3]

function totals(): { live: number; evicted: Partial<Record<ConnState, number>> } {
  using map = plane.object.map('conn_totals')
  const row = rowsOver('lb_conn_totals', map.lookup(u32(0))!)
  const evicted = new BigUint64Array(row.slice(0, 'evicted').slice().buffer)
  return {
    live: row.get(0, 'live'),
    evicted: Object.fromEntries(
      Object.entries(enums.lb_conn_state).flatMap(([name, state]) =>
        evicted[state] ? [[name.slice('LB_CONN_'.length), Number(evicted[state])]] : [],
      ),
    ),
  }
}

function sum(field: keyof Tally): number {
  return ROWS.reduce((all, row) => all + plane.counters(row)[field], 0)
}

/** Different for each number up to 2^22. */
function flow(number: number, protocol: 'tcp' | 'udp' = 'tcp', six = false): Flow {
  const host = number >> 8
  const sourcePort = 1024 + (number & 255)
  const ends = six
    ? { source: `fd64::${host.toString(16)}`, destination: '2001:db8::10' }
    : { source: `100.64.${host >> 8}.${host & 255}`, destination: '203.0.113.10' }
  return { protocol, ...ends, sourcePort, destinationPort: 80 }
}

const toBackend = (one: Flow, flags?: string): Frame => ({
  data: forwardFrame(one, flags === undefined ? {} : { flags }),
  device: 'client0',
})
const toClient = (one: Flow, flags?: string): Frame => ({
  data: replyFrame(one, one.source.includes(':') ? backend6 : backend, flags === undefined ? {} : { flags }),
  device: 'server0',
})
const handshake = (one: Flow): Frame[] => [toBackend(one, 'S'), toClient(one, 'SA'), toBackend(one, 'A')]
const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i)

async function reasonsOf(frames: readonly Frame[]): Promise<Record<string, number>> {
  const seen: Record<string, number> = {}
  for (const { reason } of await plane.run('xdp', frames)) seen[reason] = (seen[reason] ?? 0) + 1
  return seen
}

/** Runs frames without asking what became of each. */
async function quickly(frames: readonly Frame[], process = 0): Promise<void> {
  for (let i = 0; i < frames.length; i += 10_000) {
    const some = frames.slice(i, i + 10_000)
    await plane.runners[process]!.run({ program: `${plane.pins}/lb_xdp`, frames: some })
  }
}

/** A connection where none may be in the way of it takes candidates out, of which earlier tests left some. */
async function forgetCandidates(): Promise<void> {
  plane.configure(configuration, { max_connections: 1 })
  await quickly(handshake(flow(0)))
  await quickly(Array<Frame>(300).fill(toBackend(flow(1), 'S')))
}

beforeEach(async () => {
  await forgetCandidates()
  plane.configure(configuration, { max_connections: 100 })
  using program = plane.object.program('lb_sweep_start')
  expect(program.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
})

describe('established connections', () => {
  test('are kept, and as many as allowed', async () => {
    expect(await reasonsOf(range(130).flatMap((i) => handshake(flow(i, 'tcp', i % 2 === 1))))).toEqual({
      LB_REDIRECT: 300,
      LB_DROP_CONN_LIMIT: 30,
      LB_PASS_NO_CONNECTION: 60,
    })
    expect(totals()).toEqual({ live: 100, evicted: {} })
    expect(plane.connections().map(({ state }) => state)).toEqual(Array(200).fill('ESTABLISHED'))
    // The ones that are there go on.
    expect(await reasonsOf(range(100).map((i) => toBackend(flow(i, 'tcp', i % 2 === 1), 'PA')))).toEqual({
      LB_REDIRECT: 100,
    })
  })

  test('survive a flood of SYNs, and more can be opened during it', async () => {
    await quickly(range(40).flatMap((i) => handshake(flow(i))))
    await quickly(range(30_000, 1000).map((i) => toBackend(flow(i), 'S')))
    expect(totals()).toEqual({ live: 100, evicted: { SYN: 30_040 - 100 } })
    // None of them had waited: a flood of SYNs does not make the backend look sick.
    expect(sum('timedOut')).toBe(0)
    const frames = range(20, 100).flatMap((i) => [
      ...handshake(flow(i)),
      ...range(10, 40_000 + 10 * i).map((other) => toBackend(flow(other), 'S')),
    ])
    expect(await reasonsOf(frames)).toEqual({ LB_REDIRECT: frames.length })
    const states = plane.connections().map(({ state }) => state)
    expect(states.filter((state) => state === 'ESTABLISHED')).toHaveLength(2 * 60)
    expect(totals().live).toBe(100)
    expect(sum('opened') - sum('closed')).toBe(100)
  })

  test('are found out of many forgotten candidates by the sweep', async () => {
    // Half-open ones from before there was pressure, then everything that could push them out of the queue.
    await quickly(range(50).map((i) => toBackend(flow(i), 'S')))
    await quickly(range(50, 1000).flatMap((i) => handshake(flow(i))))
    for (let left = range(50, 2000); left.length > 0;) {
      const { runs } = swept()
      while (swept().runs < runs + 12) await delay(5)
      const seen = await plane.run(
        'xdp',
        left.map((i) => toBackend(flow(i), 'S')),
      )
      const open = left.filter((_, i) => seen[i]!.reason === 'LB_REDIRECT')
      expect(open).not.toEqual([])
      await quickly(open.flatMap((i) => [toClient(flow(i), 'SA'), toBackend(flow(i), 'A')]))
      left = left.filter((i) => !open.includes(i))
    }
    expect(totals().live).toBe(100)
    expect(await reasonsOf(range(50, 1000).map((i) => toBackend(flow(i), 'PA')))).toEqual({ LB_REDIRECT: 50 })
  })
})

function swept(): { runs: number } {
  using map = plane.object.map('sweep')
  return { runs: rowsOver('lb_sweep', map.lookup(u32(0))!).get(0, 'runs') }
}

describe('whoever is half-open or closed makes room', () => {
  test.each([
    ['SYN', (one: Flow) => [toBackend(one, 'S')]],
    ['SYN_ACK', (one: Flow) => [toBackend(one, 'S'), toClient(one, 'SA')]],
    ['FIN_CLIENT', (one: Flow) => [...handshake(one), toBackend(one, 'FA')]],
    ['FIN_BACKEND', (one: Flow) => [...handshake(one), toClient(one, 'FA')]],
    ['TIME_WAIT', (one: Flow) => [...handshake(one), toBackend(one, 'FA'), toClient(one, 'FA')]],
    ['RESET', (one: Flow) => [...handshake(one), toClient(one, 'R')]],
    ['UDP_ONEWAY', (one: Flow) => [toBackend({ ...one, protocol: 'udp' })]],
  ] as const)('in state %s', async (state, frames) => {
    await quickly(range(90).flatMap((i) => handshake(flow(i))))
    await quickly([...frames(flow(500)), ...frames(flow(501, 'tcp', true))])
    await quickly(range(8, 600).flatMap((i) => handshake(flow(i))))
    expect(totals()).toEqual({ live: 100, evicted: {} })
    expect(await reasonsOf([...handshake(flow(700)), ...handshake(flow(701))])).toEqual({ LB_REDIRECT: 6 })
    expect(totals()).toEqual({ live: 100, evicted: { [state]: 2 } })
    expect(await reasonsOf([toBackend(flow(702), 'S')])).toEqual({ LB_DROP_CONN_LIMIT: 1 })
  })

  test('also where a partition is full', async () => {
    plane.configure(configuration, { max_connections: 0 })
    plane.reset({ partitionEntries: 64 })
    await quickly(range(1000).map((i) => toBackend(flow(i), 'S')))
    expect(totals().live).toBe(plane.connections().length / 2)
    expect(totals().live).toBeLessThanOrEqual(128)
    plane.reset({ partitionEntries: 30_000 })
  })
})

test('the limit that holds is the active generation’s', async () => {
  await quickly(range(100).flatMap((i) => handshake(flow(i))))
  expect(await reasonsOf([toBackend(flow(200), 'S')])).toEqual({ LB_DROP_CONN_LIMIT: 1 })
  const live = totals().live
  setLimit(101)
  expect(await reasonsOf([toBackend(flow(200), 'S'), toBackend(flow(201), 'S')])).toEqual({ LB_REDIRECT: 2 })
  expect(totals()).toEqual({ live: live + 1, evicted: { SYN: 1 } })
})

/** In a generation of its own: what is active does not change. */
function setLimit(limit: number): void {
  plane.fill(1, makeTables(configuration, world, plane.devices, { max_connections: limit }))
  plane.activate(1)
}

test('two CPUs never let in more than allowed', async () => {
  await Promise.all(
    [0, 1].map((process) =>
      quickly(
        range(20_000, process * 20_000).flatMap((i) =>
          i % 400 === 0 ? handshake(flow(i)) : [toBackend(flow(i), 'S')],
        ),
        process,
      ),
    ),
  )
  const rows = plane.connections()
  expect(rows).toHaveLength(200)
  // A handshake may be overtaken by a hundred SYNs of the other CPU.
  expect(rows.filter(({ state }) => state === 'ESTABLISHED').length).toBeGreaterThan(100)
  expect(totals().live).toBe(100)
  expect(sum('opened') - sum('closed')).toBe(100)
})

test('after 100,000 connections of every ending nobody is left', { timeout: 180_000 }, async () => {
  plane.configure(configuration, {
    max_connections: 20_000,
    ...{ tcp_syn_sec: 1, tcp_established_sec: 1, tcp_fin_sec: 1, tcp_time_wait_sec: 1, tcp_reset_sec: 1 },
    ...{ udp_oneway_sec: 1, udp_stream_sec: 1 },
  })
  const endings: ((one: Flow) => Frame[])[] = [
    (one) => [...handshake(one), toBackend(one, 'FA'), toClient(one, 'FA'), toBackend(one, 'A')],
    (one) => [...handshake(one), toClient(one, 'FA'), toBackend(one, 'FA')],
    (one) => [...handshake(one), toBackend(one, 'FA')],
    (one) => [...handshake(one), toBackend(one, 'R')],
    (one) => [toBackend(one, 'S'), toClient(one, 'RA')],
    (one) => handshake(one),
    (one) => [toBackend(one, 'S')],
    (one) => [...handshake(one), toBackend(one, 'FA'), toClient(one, 'FA'), toBackend(one, 'S')],
    (one) => [toBackend({ ...one, protocol: 'udp' })],
    (one) => [toBackend({ ...one, protocol: 'udp' }), toClient({ ...one, protocol: 'udp' })],
  ]
  for (let first = 0; first < 100_000; first += 10_000) {
    const numbers = range(10_000, first)
    await quickly(numbers.flatMap((i) => endings[i % endings.length]!(flow(i, 'tcp', i % 3 === 0))))
  }
  // A connection whose port is used again is another one.
  expect(sum('opened')).toBeGreaterThanOrEqual(100_000)
  while (plane.connections().length > 0) await delay(50)
  for (const row of ROWS) {
    const { opened, closed, ended } = plane.counters(row)
    expect({ row, live: opened - closed, active: opened - ended }).toEqual({ row, live: 0, active: 0 })
    expect(opened).toBeGreaterThan(1000)
  }
  expect(totals().live).toBe(0)
})
