import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeRemoval, encodeWindow } from '../../src/engine/abi/removed.ts'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import type { Removal } from '../../src/engine/model/removal.ts'
import type { ConnState } from '../support/model-tcp.ts'
import type { Configuration } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { emptyMap } from './support/plane.ts'
import { forwardFrame, replyFrame, type Flow } from './support/session.ts'

/** What the kernel does with connections whose target was removed, and with all others. */

const PARTITIONS = 4
const NOW = (): number => Number(process.hrtime.bigint() / 1_000_000n)
const HOUR = 3_600_000

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), { partitions: PARTITIONS, sweepCycleMs: 40 })
})
afterAll(() => plane.close())

const configuration: Configuration = {
  listeners: (['tcp', 'udp'] as const).flatMap((protocol) => [
    { device: 'client0', address: '0.0.0.0', port: 80, protocol, group: 'v4' },
    { device: 'client0', address: '::', port: 80, protocol, group: 'v6' },
  ]),
  groups: { v4: [{ ip: '10.2.0.2', port: 8080 }], v6: [{ ip: 'fd02::2', port: 8080 }] },
}
/** Rows of counters. */
const V4_TCP = 0
const V4_UDP = 1
const V6_TCP = 2

const flow: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
const flow6: Flow = { ...flow, source: 'fd64::7', destination: '2001:db8::10' }

const removal: Removal = {
  proxy: 'web',
  listener: { address: null, port: 80, protocol: 'tcp' },
  ip: '10.2.0.2',
  port: 8080,
  row: V4_TCP,
  deadline: 1,
}
const removal6: Removal = { ...removal, ip: 'fd02::2', row: V6_TCP }
const at = (address: string): Removal['listener'] => ({ ...removal.listener, address })

function remove(removals: readonly Removal[], { slot = 0, from = 0, until = NOW() + HOUR } = {}): void {
  using map = plane.object.map('removed')
  for (const { key, value } of [
    ...removals.map((one) => encodeRemoval(slot, one)),
    encodeWindow(slot, from, until),
  ]) {
    map.update(key, value)
  }
}

function runs(): number {
  using map = plane.object.map('sweep')
  return rowsOver('lb_sweep', map.lookup(u32(0))!).get(0, 'runs')
}

function startSweep(): void {
  using program = plane.object.program('lb_sweep_start')
  expect(program.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
}

/** Waits until each partition has been walked twice from now on. */
async function rounds(): Promise<void> {
  const until = runs() + 2 * PARTITIONS + 1
  while (runs() < until) await delay(5)
}

beforeEach(() => {
  using removed = plane.object.map('removed')
  emptyMap(removed)
  plane.configure(configuration)
  startSweep()
})

async function open(...flows: Flow[]): Promise<void> {
  const frames = flows.map((one) => ({ data: forwardFrame(one, { flags: 'S' }), device: 'client0' }))
  for (const { reason } of await plane.run('xdp', frames)) expect(reason).toBe('LB_REDIRECT')
}

/** Ports of clients whose connections are whole. */
const left = (): number[] => {
  const halves = plane
    .connections()
    .map(({ source, destination, reverse }) => (reverse ? destination : source).port)
  return [...new Set(halves)]
    .filter((port) => halves.filter((one) => one === port).length === 2)
    .sort((a, b) => a - b)
}

const several = (count: number, base = flow): Flow[] =>
  Array.from({ length: count }, (_, i) => ({ ...base, sourcePort: base.sourcePort + i }))

describe('connections of a removed target', () => {
  test.each([
    ['IPv4', flow, removal, V4_TCP],
    ['IPv6', flow6, removal6, V6_TCP],
  ] as const)(
    'end over %s when their time is over, both halves, and are counted once',
    async (_, base, gone, row) => {
      await open(...several(64, base))
      remove([gone])
      await rounds()
      expect(plane.connections()).toEqual([])
      expect(plane.live()).toBe(0)
      expect(plane.counters(row)).toMatchObject({
        opened: 64,
        closed: 64,
        ended: 64,
        removed: 64,
        timedOut: 0,
      })
    },
  )

  test('live on until then', async () => {
    await open(flow)
    remove([{ ...removal, deadline: NOW() + HOUR }])
    await rounds()
    expect(left()).toEqual([4000])
    const deadline = NOW() + 300
    remove([{ ...removal, deadline }])
    while (left().length > 0) await delay(5)
    expect(NOW()).toBeGreaterThanOrEqual(deadline)
    expect(plane.counters(V4_TCP)).toMatchObject({ opened: 1, closed: 1, removed: 1 })
  })

  test.each(['SYN', 'SYN_ACK', 'ESTABLISHED', 'FIN_CLIENT', 'FIN_BACKEND'] as const)(
    'end in state %s',
    async (state) => {
      await open(flow)
      for (const row of plane.connections()) plane.change(row, { state })
      remove([removal])
      await rounds()
      expect(plane.connections()).toEqual([])
      expect(plane.counters(V4_TCP)).toMatchObject({ closed: 1, ended: 1, removed: 1 })
    },
  )

  test.each(['TIME_WAIT', 'RESET'] as const satisfies readonly ConnState[])(
    'are left to their timeout where they are over (%s)',
    async (state) => {
      await open(flow)
      for (const row of plane.connections()) plane.change(row, { state })
      remove([removal])
      await rounds()
      expect(left()).toEqual([4000])
      expect(plane.counters(V4_TCP)).toMatchObject({ closed: 0, removed: 0 })
    },
  )

  test('end for UDP, whose next datagram starts anew', async () => {
    const datagrams = { ...flow, protocol: 'udp' } as const
    await open(datagrams)
    remove([{ ...removal, listener: { ...removal.listener, protocol: 'udp' }, row: V4_UDP }])
    await rounds()
    expect(plane.connections()).toEqual([])
    using removed = plane.object.map('removed')
    emptyMap(removed)
    await open(datagrams)
    expect(left()).toEqual([4000])
    expect(plane.counters(V4_UDP)).toMatchObject({ opened: 2, closed: 1, removed: 1 })
  })

  test('are no connections any more: what comes is left to the stack, as it came', async () => {
    await open(flow)
    remove([removal])
    await rounds()
    const sent = { data: forwardFrame(flow, { flags: 'A' }), device: 'client0' }
    const answered = {
      data: replyFrame(flow, { ip: '10.2.0.2', port: 8080 }, { flags: 'A' }),
      device: 'server0',
    }
    const seen = await plane.run('xdp', [sent, answered])
    expect(seen.map(({ reason }) => reason)).toEqual(['LB_PASS_NO_CONNECTION', 'LB_PASS_NO_CONNECTION'])
  })
})

describe('other connections live on', () => {
  test.each<[string, readonly Removal[]]>([
    ['another port', [{ ...removal, listener: { ...removal.listener, port: 81 } }]],
    ['another protocol', [{ ...removal, listener: { ...removal.listener, protocol: 'udp' } }]],
    ['another backend', [{ ...removal, row: 7 }]],
    ['another address', [{ ...removal, listener: at('203.0.113.11') }]],
    ['an address that is spared', [removal, { ...removal, listener: at('203.0.113.10'), deadline: null }]],
    ['nothing', []],
  ])('where what is removed is of %s', async (_, removals) => {
    await open(flow, flow6)
    remove(removals)
    await rounds()
    expect(plane.connections()).toHaveLength(4)
    expect(plane.counters(V4_TCP)).toMatchObject({ opened: 1, closed: 0, removed: 0 })
  })

  test('while another generation serves', async () => {
    await open(flow)
    remove([removal], { slot: 1 })
    await rounds()
    expect(left()).toEqual([4000])
    plane.activate(1)
    await rounds()
    expect(plane.connections()).toEqual([])
  })

  test.each<[string, { from?: number; until?: number }]>([
    ['before the first deadline', { from: NOW() + HOUR }],
    ['after the end', { until: 1 }],
  ])('%s', async (_, window) => {
    await open(flow)
    remove([removal], window)
    await rounds()
    expect(left()).toEqual([4000])
  })

  test('of the listener on another address than the one that is removed', async () => {
    await open(flow, { ...flow, destination: '203.0.113.11', sourcePort: 4001 })
    remove([{ ...removal, listener: at('203.0.113.10') }])
    await rounds()
    expect(left()).toEqual([4001])
  })
})

describe('with a sweep that takes an hour', () => {
  let slow: Dataplane
  beforeAll(async () => {
    slow = await createDataplane(compileBpf('native'), { partitions: PARTITIONS, sweepCycleMs: HOUR })
  })
  afterAll(() => slow.close())

  test('starting it ends them at once, in all partitions, and after that it takes its time again', async () => {
    slow.configure(configuration)
    const frames = several(64).map((one) => ({ data: forwardFrame(one, { flags: 'S' }), device: 'client0' }))
    for (const { reason } of await slow.run('xdp', frames)) expect(reason).toBe('LB_REDIRECT')
    using map = slow.object.map('removed')
    const deadline = NOW()
    const rows = [encodeRemoval(0, { ...removal, deadline }), encodeWindow(0, deadline, deadline + HOUR)]
    for (const { key, value } of rows) map.update(key, value)
    using program = slow.object.program('lb_sweep_start')
    expect(program.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
    while (slow.connections().length > 0) await delay(2)
    expect(slow.counters(V4_TCP)).toMatchObject({ opened: 64, closed: 64, removed: 64 })
    using sweep = slow.object.map('sweep')
    expect(rowsOver('lb_sweep', sweep.lookup(u32(0))!).get(0, 'runs')).toBe(PARTITIONS)
  })
})
