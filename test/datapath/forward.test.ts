import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Configuration, Hook } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { buildPacket, type L4 } from '../support/packet.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { startSession, type Flow } from './support/session.ts'

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

interface Case {
  readonly family: 'IPv4' | 'IPv6'
  readonly protocol: L4
  readonly hook: Exclude<Hook, 'egress'>
}

const cases: readonly Case[] = (['IPv4', 'IPv6'] as const).flatMap((family) =>
  (['tcp', 'udp'] as const).flatMap((protocol) =>
    (['xdp', 'ingress'] as const).map((hook) => ({ family, protocol, hook })),
  ),
)

const addresses = {
  IPv4: { vip: '203.0.113.10', any: '0.0.0.0', client: '100.64.0.7', backend: '10.2.0.2', other: '10.2.0.3' },
  IPv6: { vip: '2001:db8::10', any: '::', client: 'fd64::7', backend: 'fd02::2', other: 'fd02::3' },
} as const

function setup({ family, protocol }: Case): { configuration: Configuration; flow: Flow } {
  const { vip, any, client, backend, other } = addresses[family]
  return {
    configuration: {
      listeners: [
        { device: 'client0', address: vip, port: 80, protocol, group: 'exact' },
        { device: 'client0', address: any, port: 80, protocol, group: 'any' },
        { device: 'client0', address: any, port: 81, protocol, group: 'any' },
      ],
      groups: { exact: [{ ip: backend, port: 8080 }], any: [{ ip: other, port: 80 }] },
    },
    flow: { protocol, source: client, sourcePort: 40000, destination: vip, destinationPort: 80 },
  }
}

describe.each(cases)('$protocol over $family at $hook', (one) => {
  const { hook } = one

  test('a connection is translated both ways', async () => {
    const { configuration, flow } = setup(one)
    const session = startSession(plane, configuration)
    const opened = await session.forward(hook, flow, { flags: 'S' })
    expect(opened.fate.reason).toBe('LB_REDIRECT')
    expect((await session.reply(hook, flow, { flags: 'SA' })).fate.reason).toBe('LB_REDIRECT')
    await session.forward(hook, flow)
    await session.forward(hook, flow, { payload: 1400, flags: 'PA' })
    await session.reply(hook, flow, { payload: 517 })
    expect(session.connection(flow)?.backend.ip).toBe(addresses[one.family].backend)
    session.verify()
  })

  test('replies that the stack sends are translated at egress', async () => {
    const { configuration, flow } = setup(one)
    const session = startSession(plane, configuration)
    await session.forward(hook, flow, { flags: 'S' })
    expect((await session.reply('egress', flow, { flags: 'SA', ttl: 1 })).fate.reason).toBe('LB_STACK_EGRESS')
    await session.reply('egress', flow, { payload: 9 })
    // What goes to the backend, and what is translated already, is left alone.
    const { backend } = session.connection(flow)!
    const translated = { ...flow, destination: backend.ip, destinationPort: backend.port }
    expect((await session.forward('egress', translated)).fate.reason).toBe('LB_PASS_EGRESS_OTHER')
    expect((await session.forward('egress', flow)).fate.reason).toBe('LB_PASS_EGRESS_OTHER')
    session.verify()
  })

  test('a listener on the address comes before the one on any address', async () => {
    const { configuration, flow } = setup(one)
    const { vip, backend, other } = addresses[one.family]
    const elsewhere = { ...flow, destination: one.family === 'IPv4' ? '203.0.113.99' : '2001:db8::99' }
    const session = startSession(plane, configuration)
    await session.forward(hook, flow, { flags: 'S' })
    await session.forward(hook, elsewhere, { flags: 'S' })
    await session.forward(hook, { ...flow, sourcePort: 40001, destinationPort: 81 }, { flags: 'S' })
    expect(
      session.model.connections.map((c) => `${c.listener.ip} ${c.listener.port} > ${c.backend.ip}`),
    ).toEqual([`${vip} 80 > ${backend}`, `${elsewhere.destination} 80 > ${other}`, `${vip} 81 > ${other}`])
    session.verify()
  })

  test('a listener is one of its interface, port and protocol only', async () => {
    const { configuration, flow } = setup(one)
    const session = startSession(plane, configuration)
    const other = one.protocol === 'tcp' ? 'udp' : 'tcp'
    for (const outcome of [
      await session.forward(hook, flow, { flags: 'S' }, 'server0'),
      await session.forward(hook, { ...flow, destinationPort: 82 }, { flags: 'S' }),
      await session.forward(hook, { ...flow, protocol: other }, { flags: 'S' }),
    ]) {
      expect(outcome.fate.reason).toBe('LB_PASS_NO_LISTENER')
    }
    session.verify()
  })

  test('TCP options, padding and every TTL are carried through', async () => {
    const { configuration, flow } = setup(one)
    const session = startSession(plane, configuration)
    await session.forward(hook, flow, { flags: 'S', tcpOptions: 40, trailer: 6 })
    for (const ttl of [255, 128, 2, 1, 0]) {
      const { fate } = await session.forward(hook, flow, { ttl, tos: 0xb8 })
      expect(fate.reason).toBe(ttl > 1 ? 'LB_REDIRECT' : 'LB_STACK_TTL')
    }
    session.verify()
  })
})

describe.each(cases.filter(({ protocol }) => protocol === 'udp'))('UDP over $family at $hook', (one) => {
  test('a checksum that is absent stays absent, and one that becomes 0 is sent as 0xffff', async () => {
    const { configuration, flow } = setup(one)
    const session = startSession(plane, configuration)
    await session.forward(one.hook, flow, { udpChecksum: false })
    await session.reply(one.hook, flow, { udpChecksum: false })
    const at = (one.family === 'IPv4' ? 34 : 54) + 6
    const { observed } = await session.forward(one.hook, zeroSum(flow, addresses[one.family].backend, at))
    expect([...observed.data.subarray(at, at + 2)]).toEqual([0xff, 0xff])
    session.verify()
  })
})

/** The flow from the source port that makes the checksum 0 on the way to the backend. */
function zeroSum(flow: Flow, backend: string, at: number): Flow {
  const toBackend = { ...flow, destination: backend, destinationPort: 8080, sourcePort: 1 }
  const frame = buildPacket(toBackend)
  // One more in the port is one less in the checksum, where it does not wrap.
  return { ...flow, sourcePort: 1 + ((frame[at]! << 8) | frame[at + 1]!) }
}
