import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Configuration, Hook } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { patch, type PacketSpec } from '../support/packet.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { forwardFrame, replyFrame, startSession, type Extra, type Flow } from './support/session.ts'

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

const vip4 = '203.0.113.10'
const vip6 = '2001:db8::10'
const flow4: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: vip4,
  destinationPort: 80,
}
const flow6: Flow = { ...flow4, source: 'fd64::7', destination: vip6 }
const udp4: Flow = { ...flow4, protocol: 'udp' }
const udp6: Flow = { ...flow6, protocol: 'udp' }

function to(backend4: string, backend6: string): Configuration {
  const on = ['client0', 'still0']
  return {
    listeners: on.flatMap((device) =>
      (['tcp', 'udp'] as const).flatMap((protocol) => [
        { device, address: vip4, port: 80, protocol, group: 'v4' },
        { device, address: vip6, port: 80, protocol, group: 'v6' },
      ]),
    ),
    groups: { v4: [{ ip: backend4, port: 8080 }], v6: [{ ip: backend6, port: 8080 }] },
  }
}

const IP = 14
const TCP4 = 34
const TCP6 = 54
const syn: Partial<PacketSpec> = { flags: 'S' }
const frame = (flow: Flow, extra: Extra = {}): Uint8Array => forwardFrame(flow, { ...syn, ...extra })

/** Frames that are left alone, by reason. A SYN or datagram that would start a connection if it were whole. */
const malformed: readonly (readonly [reason: string, name: string, bytes: Uint8Array])[] = [
  [
    'LB_PASS_NOT_UNICAST',
    'broadcast',
    patch(frame(flow4), { 0: 0xff, 1: 0xff, 2: 0xff, 3: 0xff, 4: 0xff, 5: 0xff }),
  ],
  ['LB_PASS_NOT_UNICAST', 'multicast', patch(frame(flow6), { 0: 0x33, 1: 0x33 })],
  ['LB_PASS_VLAN', '802.1Q', patch(frame(flow4), { 12: 0x81, 13: 0x00 })],
  ['LB_PASS_VLAN', '802.1ad', patch(frame(flow4), { 12: 0x88, 13: 0xa8 })],
  ['LB_PASS_NOT_IP', 'ARP', patch(frame(flow4), { 12: 0x08, 13: 0x06 })],
  ['LB_PASS_NOT_IP', 'MPLS', patch(frame(flow6), { 12: 0x88, 13: 0x47 })],
  ['LB_PASS_SHORT_IPV4', 'a frame of 19 bytes of IPv4', frame(flow4).subarray(0, IP + 19)],
  ['LB_PASS_BAD_IPV4_VERSION', 'version 6 under the type of IPv4', patch(frame(flow4), { [IP]: 0x65 })],
  ['LB_PASS_BAD_IHL', 'a header of 16 bytes', patch(frame(flow4), { [IP]: 0x44 })],
  ['LB_PASS_BAD_IHL', 'a header of no bytes', patch(frame(flow4), { [IP]: 0x40 })],
  ['LB_PASS_BAD_IPV4_LENGTH', 'total length below the header', patch(frame(flow4), { [IP + 3]: 19 })],
  ['LB_PASS_BAD_IPV4_LENGTH', 'total length 0', patch(frame(flow4), { [IP + 3]: 0 })],
  ['LB_PASS_BAD_IPV4_LENGTH', 'total length beyond the frame', patch(frame(flow4), { [IP + 3]: 41 })],
  ['LB_PASS_BAD_IPV4_LENGTH', 'options beyond the total length', patch(frame(flow4), { [IP]: 0x4f })],
  ['LB_PASS_IPV4_FRAGMENT', 'a first fragment', frame(flow4, { fragment: 0x2000 })],
  ['LB_PASS_IPV4_FRAGMENT', 'a later fragment', frame(udp4, { fragment: 0x2001, payload: 8 })],
  ['LB_PASS_IPV4_FRAGMENT', 'a last fragment', frame(udp4, { fragment: 0x00b9, payload: 8 })],
  ['LB_PASS_IPV4_OPTIONS', 'the shortest options', frame(flow4, { ipOptions: 4 })],
  ['LB_PASS_IPV4_OPTIONS', 'the longest options', frame(udp4, { ipOptions: 40 })],
  ['LB_PASS_SHORT_IPV6', 'a frame of 39 bytes of IPv6', frame(flow6).subarray(0, IP + 39)],
  ['LB_PASS_BAD_IPV6_VERSION', 'version 4 under the type of IPv6', patch(frame(flow6), { [IP]: 0x45 })],
  ['LB_PASS_BAD_IPV6_LENGTH', 'payload length beyond the frame', patch(frame(flow6), { [IP + 5]: 21 })],
  ...[0, 43, 44, 51, 60, 135].map(
    (next) =>
      ['LB_PASS_IPV6_EXTENSION', `next header ${next}`, patch(frame(flow6), { [IP + 6]: next })] as const,
  ),
  ['LB_PASS_NOT_TCP_UDP', 'ICMP', patch(frame(flow4), { [IP + 9]: 1 })],
  ['LB_PASS_NOT_TCP_UDP', 'ICMPv6', patch(frame(flow6), { [IP + 6]: 58 })],
  ['LB_PASS_NOT_TCP_UDP', 'SCTP', patch(frame(flow4), { [IP + 9]: 132 })],
  ['LB_PASS_NOT_TCP_UDP', 'no next header', patch(frame(flow6), { [IP + 6]: 59 })],
  ['LB_PASS_SHORT_TCP', '19 bytes of TCP over IPv4', patch(frame(flow4), { [IP + 3]: 39 })],
  ['LB_PASS_SHORT_TCP', 'no TCP over IPv6', patch(frame(flow6), { [IP + 5]: 0 })],
  ['LB_PASS_BAD_TCP_OFFSET', 'a TCP header of 16 bytes', patch(frame(flow4), { [TCP4 + 12]: 0x40 })],
  ['LB_PASS_BAD_TCP_OFFSET', 'TCP options beyond the packet', patch(frame(flow6), { [TCP6 + 12]: 0x60 })],
  ['LB_PASS_SHORT_UDP', '7 bytes of UDP over IPv4', patch(frame(udp4), { [IP + 3]: 27 })],
  ['LB_PASS_SHORT_UDP', '7 bytes of UDP over IPv6', patch(frame(udp6), { [IP + 5]: 7 })],
  ['LB_PASS_BAD_UDP_LENGTH', 'a UDP length of 7', patch(frame(udp4), { [TCP4 + 5]: 7 })],
  ['LB_PASS_BAD_UDP_LENGTH', 'a UDP length beyond the packet', patch(frame(udp6), { [TCP6 + 5]: 9 })],
]

describe.each(['xdp', 'ingress', 'egress'] as const)('at %s', (hook) => {
  test('malformed and foreign frames are left alone, each for its reason', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    for (const [reason, name, bytes] of malformed) {
      // The kernel runs tc programs on no frame that ends within the IP header.
      if (hook !== 'xdp' && reason.startsWith('LB_PASS_SHORT_IP')) continue
      const { fate } = await session.send(hook, bytes, 'client0')
      expect(`${name}: ${fate.reason}`).toBe(`${name}: ${reason}`)
    }
    session.verify()
  })

  test('frames without an Ethernet type, and to another host', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    const length = await session.send(hook, patch(frame(flow4), { 12: 0, 13: 46 }), 'client0')
    expect(length.fate.reason).toBe(hook === 'xdp' ? 'LB_PASS_NOT_IP' : 'LB_PASS_NOT_ETHERNET')
    const other = await session.send(hook, frame(flow4, { macDestination: '02:00:00:00:01:77' }), 'client0')
    const wanted = { xdp: 'LB_REDIRECT', ingress: 'LB_PASS_OTHER_HOST', egress: 'LB_PASS_EGRESS_OTHER' }
    expect(other.fate.reason).toBe(wanted[hook])
    session.verify()
  })

  test('nothing is touched while no generation is active', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    await session.forward('xdp', flow4, { flags: 'S' })
    plane.activate(255)
    session.model.configure(undefined)
    for (const flow of [flow4, flow6, udp4]) {
      const { fate } = await session.forward(hook, flow, { flags: 'S' })
      expect(fate.reason).toBe('LB_PASS_NO_GENERATION')
    }
    session.verify()
  })
})

describe.each(['xdp', 'ingress'] as const)('at %s', (hook: Hook) => {
  test('TCP segments that can start nothing', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    for (const flags of ['A', 'SA', 'R', 'RA', 'FA', 'SF', 'SR', 'P', '']) {
      const { fate } = await session.forward(hook, flow4, { flags })
      expect(`${flags}: ${fate.reason}`).toBe(`${flags}: LB_PASS_NO_CONNECTION`)
    }
    expect(session.model.connections).toEqual([])
    session.verify()
  })

  /** Every way out that the fast path leaves to the stack: the packet is rewritten all the same. */
  test.each([
    ['LB_STACK_NO_NEIGHBOUR', '10.2.0.99', 'fd02::99'],
    ['LB_STACK_NOT_FORWARDED', '10.2.0.1', 'fd02::1'],
    ['LB_STACK_NOT_FORWARDED', '172.31.0.1', 'fddd::1'],
    ['LB_STACK_BLACKHOLE', '10.5.0.1', 'fd05::1'],
    ['LB_STACK_UNREACHABLE', '10.6.0.1', 'fd06::1'],
    ['LB_STACK_PROHIBITED', '10.7.0.1', 'fd07::1'],
    ['LB_STACK_ENCAPSULATED', '10.8.0.1', 'fd08::1'],
    [hook === 'xdp' ? 'LB_STACK_NO_XMIT' : 'LB_REDIRECT', '10.3.0.1', 'fd03::1'],
  ])('%s to %s and %s', async (reason, backend4, backend6) => {
    const session = startSession(plane, to(backend4, backend6))
    for (const flow of [flow4, flow6]) {
      const { fate } = await session.forward(hook, flow, { flags: 'S' })
      expect(fate.reason).toBe(reason)
      expect(fate.rewrite).toBeDefined()
      await session.forward(hook, flow)
    }
    session.verify()
  })

  test('replies that the stack has to send stay as they are where egress restores them', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    const open = async (flow: Flow): Promise<Flow> => {
      await session.forward(hook, flow, { flags: 'S' })
      return flow
    }
    const reply = async (flow: Flow, extra: Extra): Promise<string> => {
      const { fate } = await session.reply(hook, flow, extra)
      return `${fate.reason} ${fate.rewrite ? 'rewritten' : 'untouched'}`
    }
    const lost = await open({ ...flow4, source: '100.126.0.1' })
    expect(await reply(lost, { flags: 'SA' })).toBe('LB_STACK_UNREACHABLE untouched')
    expect(await reply(lost, { ttl: 1 })).toBe('LB_STACK_TTL untouched')
    const narrow = await open({ ...flow4, source: '100.127.0.1' })
    expect(await reply(narrow, { payload: 600 })).toBe('LB_STACK_TOO_BIG untouched')
    // The stack cuts this one into fragments, which pass egress as they are.
    expect(await reply(narrow, { payload: 600, fragment: 0 })).toBe('LB_STACK_TOO_BIG rewritten')
    const narrow6 = await open({ ...flow6, source: 'fd64:127::1' })
    expect(await reply(narrow6, { payload: 1300 })).toBe('LB_STACK_TOO_BIG untouched')
    // No program at egress of the interface that leads to these.
    for (const flow of [
      { ...flow4, source: '10.11.0.2' },
      { ...flow6, source: 'fd11::2' },
    ]) {
      expect(await reply(await open(flow), {})).toBe('LB_STACK_NO_NEIGHBOUR rewritten')
    }
    session.verify()
    await session.reply('egress', lost, { flags: 'SA' })
    expect(session.connection(lost)?.packets).toEqual({ client: 1, backend: 1 })
    session.verify()
  })

  test('policy rules see the ports of the rewritten packet', async () => {
    const { listeners } = to('10.2.0.2', 'fd02::2')
    const ports: Configuration = {
      listeners: listeners.flatMap((one) => [one, { ...one, port: 30695 }]),
      groups: { v4: [{ ip: '10.2.0.2', port: 30697 }], v6: [{ ip: 'fd02::2', port: 30697 }] },
    }
    for (const flow of [flow4, flow6]) {
      plane.configure(ports)
      const [toTarget] = await plane.run(hook, [{ data: frame(flow), device: 'client0' }])
      expect(toTarget!.reason).toBe('LB_STACK_BLACKHOLE')
      plane.configure({ ...ports, groups: to('10.2.0.2', 'fd02::2').groups })
      const at = { ...flow, destinationPort: 30695 }
      const backend = { ip: flow === flow4 ? '10.2.0.2' : 'fd02::2', port: 8080 }
      const [there, back] = await plane.run(hook, [
        { data: frame(at), device: 'client0' },
        { data: replyFrame(at, backend, { flags: 'SA' }, 'server0'), device: 'server0' },
      ])
      expect([there!.reason, back!.reason]).toEqual(['LB_REDIRECT', 'LB_STACK_BLACKHOLE'])
    }
  })

  test('packets longer than the route allows', async () => {
    const session = startSession(plane, to('10.4.0.1', 'fd04::1'))
    for (const [flow, fits] of [
      [udp4, 600 - 28],
      [udp6, 1300 - 48],
    ] as const) {
      await session.forward(hook, flow)
      for (const [payload, reason] of [
        [fits, 'LB_REDIRECT'],
        [fits + 1, 'LB_STACK_TOO_BIG'],
        [fits - 1, 'LB_REDIRECT'],
        [fits + 400, 'LB_STACK_TOO_BIG'],
      ] as const) {
        expect((await session.forward(hook, flow, { payload })).fate.reason).toBe(reason)
      }
    }
    session.verify()
  })

  test('forwarding is disabled where the packet came in', async () => {
    const session = startSession(plane, to('10.2.0.2', 'fd02::2'))
    for (const flow of [flow4, flow6]) {
      const { fate } = await session.forward(hook, flow, { flags: 'S' }, 'still0')
      expect(fate.reason).toBe('LB_STACK_FORWARDING_OFF')
    }
    session.verify()
  })

  test('an address family without a connection table', async () => {
    const configuration = to('10.2.0.2', 'fd02::2')
    startSession(plane, configuration)
    plane.reset({ families: [4] })
    const device = 'client0'
    const [start, later, other] = await plane.run(hook, [
      { data: frame(flow6), device },
      { data: forwardFrame(flow6, {}), device },
      { data: frame(flow4), device },
    ])
    expect(start).toMatchObject({ verdict: 'drop', reason: 'LB_DROP_NO_CONN_TABLE' })
    expect(later).toMatchObject({ verdict: 'pass', reason: 'LB_PASS_NO_CONNECTION' })
    expect(other).toMatchObject({ verdict: 'redirect', reason: 'LB_REDIRECT' })
  })

  test('a group without targets, and a target of the other family', async () => {
    const session = startSession(plane, { ...to('10.2.0.2', 'fd02::2'), groups: { v4: [], v6: [] } })
    expect((await session.forward(hook, flow4, { flags: 'S' })).fate.reason).toBe('LB_DROP_NO_BACKEND')
    expect((await session.forward(hook, udp6)).fate.reason).toBe('LB_DROP_NO_BACKEND')
    session.verify()
    startSession(plane, to('fd02::2', '10.2.0.2'))
    const seen = await plane.run(
      hook,
      [flow4, udp6].map((flow) => ({ data: frame(flow), device: 'client0' })),
    )
    for (const { verdict, reason } of seen)
      expect([verdict, reason]).toEqual(['drop', 'LB_DROP_WRONG_FAMILY'])
    expect(plane.connections()).toEqual([])
  })
})
