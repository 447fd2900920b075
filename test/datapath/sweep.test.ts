import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import type { ConnState } from '../support/model-tcp.ts'
import type { Configuration } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, SLOT_NONE, type Dataplane } from './support/dataplane.ts'
import type { ConnectionRow } from './support/records.ts'
import { forwardFrame, type Flow } from './support/session.ts'
import type { Timeouts } from './support/tables.ts'

const PARTITIONS = 4
const SLICES = 8
/** Units of `last_seen` in a second: 2^20 ns each. */
const PER_SECOND = 1e9 / 2 ** 20

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
/** Rows of counters: [v4/tcp, v4/udp, v6/tcp, v6/udp]. */
const V4_TCP = 0

const timeouts = {
  tcp_syn_sec: 1000,
  tcp_established_sec: 2000,
  tcp_fin_sec: 3000,
  tcp_time_wait_sec: 4000,
  tcp_reset_sec: 5000,
  udp_oneway_sec: 6000,
  udp_stream_sec: 7000,
} as const satisfies Timeouts

const timeoutOf: Readonly<Record<ConnState, keyof typeof timeouts>> = {
  SYN: 'tcp_syn_sec',
  SYN_ACK: 'tcp_syn_sec',
  ESTABLISHED: 'tcp_established_sec',
  FIN_CLIENT: 'tcp_fin_sec',
  FIN_BACKEND: 'tcp_fin_sec',
  TIME_WAIT: 'tcp_time_wait_sec',
  RESET: 'tcp_reset_sec',
  UDP_ONEWAY: 'udp_oneway_sec',
  UDP_STREAM: 'udp_stream_sec',
}

function swept(): { runs: number; expired: number; orphans: number } {
  using map = plane.object.map('sweep')
  const row = rowsOver('lb_sweep', map.lookup(u32(0))!)
  return { runs: row.get(0, 'runs'), expired: row.get(0, 'expired'), orphans: row.get(0, 'orphans') }
}

function startSweep(): number {
  using program = plane.object.program('lb_sweep_start')
  return program.testRun({ data: new Uint8Array(64) }).retval
}

/** Waits until each partition has been walked `times` times from now on. */
async function rounds(times: number): Promise<void> {
  const until = swept().runs + PARTITIONS * times + 1
  while (swept().runs < until) await delay(5)
}

beforeEach(() => {
  plane.configure(configuration, timeouts)
  expect(startSweep()).toBe(0)
})

const flow: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}

async function open(...flows: Flow[]): Promise<void> {
  const seen = await plane.run(
    'xdp',
    flows.map((one) => ({ data: forwardFrame(one, { flags: 'S' }), device: 'client0' })),
  )
  for (const { reason } of seen) expect(reason).toBe('LB_REDIRECT')
}

const seconds = (row: ConnectionRow, ago: number): number =>
  (row.lastSeen - Math.round(ago * PER_SECOND)) >>> 0

function age(ago: number, which: (row: ConnectionRow) => boolean = () => true): void {
  for (const row of plane.connections().filter(which)) plane.change(row, { lastSeen: seconds(row, ago) })
}

describe('a pair', () => {
  test.each(Object.keys(timeoutOf) as ConnState[])(
    'in state %s expires at its timeout, not before',
    async (state) => {
      const udp = state.startsWith('UDP')
      const base = udp ? { ...flow, protocol: 'udp' as const } : flow
      const old = { ...base, sourcePort: 4001 }
      const old6 = { ...base, source: 'fd64::7', destination: '2001:db8::10' }
      await open(base, old, old6)
      const limit = timeouts[timeoutOf[state]]
      const before = swept()
      for (const row of plane.connections()) {
        const young = row.source.port === base.sourcePort || row.destination.port === base.sourcePort
        const ago = young && row.family === 4 ? limit - 10 : limit + 10
        plane.change(row, { state, lastSeen: seconds(row, ago) })
      }
      await rounds(2)
      const left = plane.connections()
      expect(left.map(({ state, family, protocol }) => ({ state, family, protocol }))).toEqual(
        Array(2).fill({ state, family: 4, protocol: udp ? 17 : 6 }),
      )
      expect(swept().expired - before.expired).toBe(2)
      expect(plane.counters(V4_TCP + (udp ? 1 : 0))).toMatchObject({ opened: 2, closed: 1 })
      expect(plane.counters(V4_TCP + (udp ? 3 : 2))).toMatchObject({ opened: 1, closed: 1 })
    },
  )

  test.each([true, false])('stays while one half is busy (reverse: %s)', async (reverse) => {
    await open(flow)
    age(100_000, (row) => row.reverse === reverse)
    await rounds(SLICES + 1)
    expect(plane.connections()).toHaveLength(2)
    age(100_000)
    await rounds(2)
    expect(plane.connections()).toEqual([])
    expect(plane.counters(V4_TCP)).toMatchObject({ opened: 1, closed: 1 })
  })

  test('that another CPU has just used is not old, and one idle for half the clock is', async () => {
    await open(flow, { ...flow, sourcePort: 4001 })
    for (const row of plane.connections()) {
      const ahead = [row.source.port, row.destination.port].includes(4000)
      plane.change(row, { lastSeen: seconds(row, ahead ? -60 : 2 ** 30 / PER_SECOND) })
    }
    await rounds(2)
    expect(plane.connections().map(({ source, destination }) => [source.port, destination.port])).toEqual(
      expect.arrayContaining([
        [4000, 80],
        [8080, 4000],
      ]),
    )
    expect(plane.connections()).toHaveLength(2)
  })
})

describe('a half whose other half was deleted', () => {
  test.each([true, false])('goes too, busy or idle (reverse: %s)', async (reverse) => {
    const flows = Array.from({ length: 64 }, (_, i) => ({ ...flow, sourcePort: 4000 + i }))
    const flows6 = flows.map((one) => ({ ...one, source: 'fd64::7', destination: '2001:db8::10' }))
    await open(...flows, ...flows6)
    const before = swept()
    for (const row of plane.connections()) if (row.reverse === reverse) plane.remove(row)
    await rounds(SLICES + 1)
    expect(plane.connections()).toEqual([])
    expect(swept().orphans - before.orphans).toBe(128)
    expect(swept().expired).toBe(before.expired)
    expect(plane.counters(V4_TCP)).toMatchObject({ opened: 64, closed: 64 })
    expect(plane.counters(V4_TCP + 2)).toMatchObject({ opened: 64, closed: 64 })
  })
})

test('without a generation the defaults hold', async () => {
  await open(flow, { ...flow, sourcePort: 4001 })
  plane.activate(SLOT_NONE)
  for (const row of plane.connections()) {
    const young = [row.source.port, row.destination.port].includes(4000)
    plane.change(row, { state: 'ESTABLISHED', lastSeen: seconds(row, young ? 290 : 310) })
  }
  await rounds(2)
  expect(plane.connections()).toHaveLength(2)
})

test('starting it again replaces the timer', async () => {
  const period = 40 / PARTITIONS
  for (let i = 0; i < 5; i++) expect(startSweep()).toBe(0)
  const start = { at: performance.now(), ...swept() }
  await rounds(10)
  const elapsed = performance.now() - start.at
  // Five timers would make five times the runs; one that is late makes fewer.
  expect(swept().runs - start.runs).toBeLessThanOrEqual(elapsed / period + 2)
})
