import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Configuration } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { startSession, type Flow, type Session } from './support/session.ts'

/** Connections that were there before the tables grew, and live on in those of before. */

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), { olderTables: true, sweepCycleMs: 40 })
})
afterAll(() => plane.close())

const configuration: Configuration = {
  listeners: [80, 81].flatMap((port) => [
    { device: 'client0', address: '0.0.0.0', port, protocol: 'tcp', group: 'v4' },
    { device: 'client0', address: '::', port, protocol: 'tcp', group: 'v6' },
  ]),
  groups: { v4: [{ ip: '10.2.0.2', port: 8080 }], v6: [{ ip: 'fd02::2', port: 8080 }] },
}

const flow4: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
const flow6: Flow = { ...flow4, source: 'fd64::7', destination: '2001:db8::10' }

/** One that is open, in the older tables. */
async function older(flow: Flow): Promise<Session> {
  const session = startSession(plane, configuration)
  await session.forward('xdp', flow, { flags: 'S' })
  await session.reply('xdp', flow, { flags: 'SA' })
  plane.retire()
  await session.forward('xdp', flow, { flags: 'A' })
  expect(session.connection(flow)?.state).toBe('ESTABLISHED')
  session.verify()
  return session
}

describe.each([
  ['IPv4', flow4],
  ['IPv6', flow6],
])('over %s, a connection in the older tables', (_, flow) => {
  test('is followed to its end, and followed by another in the new ones', async () => {
    const session = await older(flow)
    await session.reply('xdp', flow, { flags: 'FA' })
    await session.forward('xdp', flow, { flags: 'FA' })
    session.verify()
    await session.forward('xdp', flow, { flags: 'S' })
    session.verify()
    expect(plane.connections()).toHaveLength(2)
    expect(plane.live()).toBe(1)
  })

  test('keeps its place at the backend from a connection of another listener', async () => {
    const session = await older(flow)
    const { fate } = await session.forward('xdp', { ...flow, destinationPort: 81 }, { flags: 'S' })
    expect(fate.reason).toBe('LB_DROP_TUPLE_CONFLICT')
    session.verify()
    expect(plane.live()).toBe(1)
  })

  test('expires, both halves of it', async () => {
    await older(flow)
    using start = plane.object.program('lb_sweep_start')
    expect(start.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
    for (const row of plane.connections()) plane.change(row, { lastSeen: (row.lastSeen - 2 ** 29) >>> 0 })
    while (plane.connections().length > 0) await delay(5)
    expect(plane.live()).toBe(0)
  })
})
