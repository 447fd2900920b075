import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import type { Configuration, Tally } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import type { ConnectionRow } from './support/records.ts'
import type { Frame } from './support/runner.ts'
import { forwardFrame, replyFrame, type Flow } from './support/session.ts'
import type { Timeouts } from './support/tables.ts'

/** How connections fared, as counted for their backend: once each, and with nothing that is not its doing. */

const PARTITIONS = 2

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), { partitions: PARTITIONS, sweepCycleMs: 40 })
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
/** Long enough for nothing to expire by itself. */
const LONG: Timeouts = {
  ...{ tcp_syn_sec: 1000, tcp_established_sec: 1000, tcp_fin_sec: 1000, tcp_time_wait_sec: 1000 },
  ...{ tcp_reset_sec: 1000, udp_oneway_sec: 1000, udp_stream_sec: 1000 },
}

const flow: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
/** By the row of counters of its backend. */
const flows: readonly Flow[] = [
  flow,
  { ...flow, protocol: 'udp' },
  { ...flow, source: 'fd64::7', destination: '2001:db8::10' },
]
const [TCP4, UDP4, TCP6] = [0, 1, 2]

/** `>SA`: flags of a segment from the client; `<` from the backend. */
function framesOf(one: Flow, segments: string): Frame[] {
  return segments.split(' ').map((segment): Frame => {
    const extra = one.protocol === 'tcp' ? { flags: segment.slice(1) } : {}
    if (segment.startsWith('>')) return { data: forwardFrame(one, extra), device: 'client0' }
    const from = one.source.includes(':') ? backend6 : backend
    return { data: replyFrame(one, from, extra), device: 'server0' }
  })
}

const play = (one: Flow, segments: string) => plane.run('xdp', framesOf(one, segments))

type Fared = Omit<Tally, 'packetsForward' | 'bytesForward' | 'packetsReverse' | 'bytesReverse'>

/** What is counted of connections, without what is zero. */
function fared(row = TCP4): Partial<Fared> {
  const counted = Object.entries(plane.counters(row))
  return Object.fromEntries(counted.filter(([name, n]) => !/packets|bytes/.test(name) && n !== 0))
}

const OPEN = '>S <SA >A'
const table: readonly (readonly [segments: string, counted: Partial<Fared>])[] = [
  ['>S', {}],
  ['>S >S >S', {}],
  ['>S <SA', {}],
  ['>S <SA <SA', {}],
  // The handshake is complete.
  [OPEN, { established: 1 }],
  [`${OPEN} >A >PA <PA >S`, { established: 1 }],
  ['>S <SA >FA', { established: 1 }],
  ['>S <SA <FA', { established: 1 }],
  [`${OPEN} >FA`, { established: 1 }],
  [`${OPEN} <FA`, { established: 1 }],
  [`${OPEN} >FA <FA`, { established: 1, ended: 1 }],
  [`${OPEN} >FA <FA >FA <FA >A`, { established: 1, ended: 1 }],
  // It is refused.
  ['>S <RA', { refused: 1, ended: 1 }],
  ['>S <R <R <R', { refused: 1, ended: 1 }],
  ['>S <SA <R', { refused: 1, ended: 1 }],
  ['>S <SA <R >A', { refused: 1, ended: 1 }],
  // The client thinks better of it.
  ['>S >R', { ended: 1 }],
  ['>S >R <R', { ended: 1 }],
  ['>S <SA >R', { ended: 1 }],
  // It is reset.
  [`${OPEN} <R`, { established: 1, reset: 1, ended: 1 }],
  [`${OPEN} <R <R >R`, { established: 1, reset: 1, ended: 1 }],
  [`${OPEN} >FA <R`, { established: 1, reset: 1, ended: 1 }],
  [`${OPEN} >R`, { established: 1, ended: 1 }],
  [`${OPEN} >R <R`, { established: 1, ended: 1 }],
  // What comes after the backend has closed its side is no fault of it.
  [`${OPEN} <FA <R`, { established: 1, ended: 1 }],
  [`${OPEN} <FA >FA <R`, { established: 1, ended: 1 }],
  [`${OPEN} >FA <FA <R`, { established: 1, ended: 1 }],
]

describe('TCP', () => {
  test.each(table)('%s', async (segments, counted) => {
    plane.configure(configuration, LONG)
    for (const row of [TCP4, TCP6]) {
      await play(flows[row]!, segments)
      expect(fared(row)).toEqual({ opened: 1, ...counted })
    }
  })

  test('a port that is used again is another connection', async () => {
    plane.configure(configuration, LONG)
    await play(flow, `>S <R >S <R >S <SA >A >FA <FA ${OPEN} <R`)
    expect(fared()).toEqual({ opened: 4, closed: 3, refused: 2, established: 2, reset: 1, ended: 4 })
  })

  test('a reply that is restored at egress counts once', async () => {
    plane.configure(configuration, LONG)
    await play(flow, '>S')
    const [reply] = framesOf(flow, '<R')
    await plane.run('xdp', [{ ...reply!, data: replyFrame(flow, backend, { flags: 'R', ttl: 1 }) }])
    await plane.run('egress', [{ ...reply!, device: 'client0' }])
    expect(fared()).toEqual({ opened: 1, refused: 1, ended: 1 })
  })
})

test('UDP: a flow is established by its first reply', async () => {
  plane.configure(configuration, LONG)
  await play(flows[UDP4]!, '> >')
  expect(fared(UDP4)).toEqual({ opened: 1 })
  await play(flows[UDP4]!, '< > < <')
  expect(fared(UDP4)).toEqual({ opened: 1, established: 1 })
})

describe('when its record is deleted', () => {
  const swept = (): number => {
    using map = plane.object.map('sweep')
    return rowsOver('lb_sweep', map.lookup(u32(0))!).get(0, 'runs')
  }

  /** Makes all connections idle for longer than any timeout. */
  async function expire(): Promise<void> {
    for (const row of plane.connections()) plane.change(row, { lastSeen: (row.lastSeen - 2 ** 21) >>> 0 })
    await untilGone()
  }

  async function untilGone(): Promise<void> {
    using program = plane.object.program('lb_sweep_start')
    expect(program.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
    const until = swept() + 20 * PARTITIONS
    while (plane.connections().length > 0 && swept() < until) await delay(5)
    expect(plane.connections()).toEqual([])
  }

  test.each([
    ['>S', { timedOut: 1, ended: 1 }],
    ['>S >S', { timedOut: 1, ended: 1 }],
    ['>S <SA', { ended: 1 }],
    [OPEN, { established: 1, ended: 1 }],
    [`${OPEN} >FA`, { established: 1, ended: 1 }],
    [`${OPEN} >FA <FA`, { established: 1, ended: 1 }],
    ['>S <R', { refused: 1, ended: 1 }],
  ])('because it expired: %s', async (segments, counted) => {
    plane.configure(configuration, LONG)
    for (const row of [TCP4, TCP6]) await play(flows[row]!, segments)
    await expire()
    for (const row of [TCP4, TCP6]) expect(fared(row)).toEqual({ opened: 1, closed: 1, ...counted })
  })

  test('because it expired: UDP without a reply, which many protocols do without', async () => {
    plane.configure(configuration, LONG)
    await play(flows[UDP4]!, '>')
    await expire()
    expect(fared(UDP4)).toEqual({ opened: 1, closed: 1, ended: 1 })
  })

  const isForward = ({ reverse }: ConnectionRow): boolean => !reverse

  test('because somebody deleted half of it, nothing is said of the backend', async () => {
    plane.configure(configuration, LONG)
    await play(flow, '>S')
    plane.remove(plane.connections().find(isForward)!)
    await untilGone()
    expect(fared()).toEqual({ opened: 1, closed: 1, ended: 1 })
  })

  test('because the client asked again after somebody had deleted half of it', async () => {
    plane.configure(configuration, LONG)
    await play(flow, '>S')
    plane.remove(plane.connections().find(isForward)!)
    await play(flow, '>S')
    expect(fared()).toEqual({ opened: 2, closed: 1, ended: 1, timedOut: 1 })
  })

  test.each([
    ['>S', { ended: 1 }],
    ['>S >S', { timedOut: 1, ended: 1 }],
    ['>S >S <SA', { ended: 1 }],
    ['>S >S <R', { refused: 1, ended: 1 }],
    [`${OPEN} >FA`, { established: 1, ended: 1 }],
  ])('to make room: %s', async (segments, counted) => {
    plane.configure(configuration, { ...LONG, max_connections: 4 })
    for (const sourcePort of [1, 2, 3]) await play({ ...flows[UDP4]!, sourcePort }, '> <')
    await play(flow, segments)
    const [seen] = await play({ ...flow, sourcePort: 4001 }, '>S')
    expect(seen!.reason).toBe('LB_REDIRECT')
    expect(fared()).toEqual({ opened: 2, closed: 1, ...counted })
  })
})
