import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Configuration } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { patch } from '../support/packet.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import type { Frame } from './support/runner.ts'
import { forwardFrame, replyFrame, type Extra, type Flow } from './support/session.ts'

/**
 * tc sees packets that stand for several on the wire: GRO has put them together, or the hardware is
 * yet to cut them up. What counts, and what must fit the route, is what is on the wire.
 */
let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

const configuration: Configuration = {
  listeners: [
    { device: 'client0', address: '0.0.0.0', port: 80, protocol: 'tcp', group: 'v4' },
    { device: 'client0', address: '::', port: 80, protocol: 'tcp', group: 'v6' },
  ],
  // The routes to them have an MTU of 600 and 1300.
  groups: { v4: [{ ip: '10.4.0.1', port: 80 }], v6: [{ ip: 'fd04::1', port: 80 }] },
}
const flow4: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
const flow6: Flow = { ...flow4, source: 'fd64::7', destination: '2001:db8::10' }

beforeEach(() => plane.configure(configuration))

async function reasons(frames: readonly Frame[]): Promise<string[]> {
  return (await plane.run('ingress', frames)).map(({ reason }) => reason)
}

const device = 'client0'
const frame = (flow: Flow, extra: Extra, gso: Partial<Frame> = {}): Frame => ({
  data: forwardFrame(flow, extra),
  device,
  ...gso,
})

describe.each([
  ['IPv4', flow4, 0, 600 - 40],
  ['IPv6', flow6, 2, 1300 - 60],
])('over %s', (_, flow, row, segment) => {
  test('each segment counts, with headers of its own', async () => {
    const options = 12
    const headers = (flow === flow4 ? 40 : 60) + options
    const many = { gsoSize: 500, gsoSegments: 5 }
    expect(
      await reasons([
        frame(flow, { flags: 'S' }),
        frame(flow, { payload: 2100, tcpOptions: options }, many),
        {
          data: replyFrame(flow, configuration.groups[flow === flow4 ? 'v4' : 'v6']![0]!, { payload: 7 }),
          device: 'server0',
        },
      ]),
    ).toEqual(['LB_REDIRECT', 'LB_REDIRECT', 'LB_REDIRECT'])
    const bytes = headers - options + 2100 + 5 * headers
    expect(plane.counters(row)).toMatchObject({ packetsForward: 6, bytesForward: bytes, packetsReverse: 1 })
    expect(
      plane
        .connections()
        .map(({ packets }) => packets)
        .sort(),
    ).toEqual([1, 6])
  })

  test('a segment must fit the route, not the packet', async () => {
    const payload = 3000
    expect(
      await reasons([
        frame(flow, { flags: 'S' }),
        frame(flow, { payload }),
        frame(flow, { payload }, { gsoSize: segment, gsoSegments: 6 }),
        frame(flow, { payload }, { gsoSize: segment + 1, gsoSegments: 6 }),
        frame(flow, { payload, tcpOptions: 12 }, { gsoSize: segment, gsoSegments: 6 }),
        frame(flow, { payload, tcpOptions: 12 }, { gsoSize: segment - 12, gsoSegments: 6 }),
      ]),
    ).toEqual([
      'LB_REDIRECT',
      'LB_STACK_TOO_BIG',
      'LB_REDIRECT',
      'LB_STACK_TOO_BIG',
      'LB_STACK_TOO_BIG',
      'LB_REDIRECT',
    ])
  })
})

test('a total length of 0 means a packet over 64 KB, where there are segments', async () => {
  const many = { gsoSize: 400, gsoSegments: 3 }
  const big = patch(forwardFrame(flow4, { payload: 1000 }), { 16: 0, 17: 0 })
  expect(
    await reasons([frame(flow4, { flags: 'S' }), { data: big, device, ...many }, { data: big, device }]),
  ).toEqual(['LB_REDIRECT', 'LB_REDIRECT', 'LB_PASS_BAD_IPV4_LENGTH'])
})
