import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConnState } from '../support/model-tcp.ts'
import type { Configuration } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { startSession, type Flow, type Session } from './support/session.ts'

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

const tcp: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}

function configuration(...hosts: number[]): Configuration {
  return {
    listeners: (['tcp', 'udp'] as const).flatMap((protocol) => [
      { device: 'client0', address: '203.0.113.10', port: 80, protocol, group: 'v4' },
      { device: 'client0', address: '2001:db8::10', port: 80, protocol, group: 'v6' },
    ]),
    groups: {
      v4: hosts.map((host) => ({ ip: `10.2.0.${host}`, port: 8080 })),
      v6: hosts.map((host) => ({ ip: `fd02::${host}`, port: 8080 })),
    },
  }
}

type Hooks = { readonly client: 'xdp' | 'ingress'; readonly backend: 'xdp' | 'ingress' | 'egress' }

/** `>SA`: flags of a segment from the client; `<` from the backend. */
async function play(
  session: Session,
  flow: Flow,
  segments: string,
  { client, backend }: Hooks,
): Promise<void> {
  for (const segment of segments.split(' ')) {
    const flags = segment.slice(1)
    if (segment.startsWith('>')) await session.forward(client, flow, { flags })
    else await session.reply(backend, flow, { flags })
  }
}

const OPEN = '>S <SA >A'
const table: readonly (readonly [segments: string, state: ConnState])[] = [
  ['>S', 'SYN'],
  ['>S >S >S', 'SYN'],
  ['>S >A', 'SYN'],
  ['>S <A', 'SYN'],
  ['>S <S', 'SYN'],
  ['>S >SA', 'SYN'],
  ['>S <R', 'RESET'],
  ['>S <RA', 'RESET'],
  ['>S >R', 'RESET'],
  ['>S >F', 'FIN_CLIENT'],
  ['>S <FA', 'FIN_BACKEND'],
  ['>S <SA', 'SYN_ACK'],
  ['>S <SA <SA', 'SYN_ACK'],
  ['>S <SA >S', 'SYN_ACK'],
  ['>S <SA <A', 'SYN_ACK'],
  ['>S <SA >R', 'RESET'],
  ['>S <SA >FA', 'FIN_CLIENT'],
  ['>S <SA <FA', 'FIN_BACKEND'],
  [OPEN, 'ESTABLISHED'],
  [`>S <SA >PA`, 'ESTABLISHED'],
  [`${OPEN} <PA >A >PA <A`, 'ESTABLISHED'],
  [`${OPEN} >S`, 'ESTABLISHED'],
  [`${OPEN} <SA >SA`, 'ESTABLISHED'],
  [`${OPEN} >R`, 'RESET'],
  [`${OPEN} <RA`, 'RESET'],
  [`${OPEN} >FRA`, 'RESET'],
  [`${OPEN} >FA`, 'FIN_CLIENT'],
  [`${OPEN} >FA >FA <A <PA >A`, 'FIN_CLIENT'],
  [`${OPEN} >FA <R`, 'RESET'],
  [`${OPEN} <FA`, 'FIN_BACKEND'],
  [`${OPEN} <FA <FA >A >PA <A`, 'FIN_BACKEND'],
  [`${OPEN} <FA >R`, 'RESET'],
  [`${OPEN} >FA <A <FA`, 'TIME_WAIT'],
  [`${OPEN} >FA <FA >A`, 'TIME_WAIT'],
  [`${OPEN} <FA >FA <A`, 'TIME_WAIT'],
  [`${OPEN} >FA <FA >FA <FA <A >A`, 'TIME_WAIT'],
  [`${OPEN} >FA <FA <R`, 'RESET'],
  [`${OPEN} >R >A <A >FA <FA`, 'RESET'],
]

const everywhere: readonly Hooks[] = [
  { client: 'xdp', backend: 'xdp' },
  { client: 'ingress', backend: 'egress' },
]

describe.each(everywhere)('TCP at $client and $backend', (hooks) => {
  test('states follow the segments of both sides', async () => {
    const session = startSession(plane, configuration(2, 3))
    for (const [row, [segments, state]] of table.entries()) {
      const flow = { ...tcp, sourcePort: 5000 + row }
      await play(session, flow, segments, hooks)
      expect(`${segments}: ${session.connection(flow)?.state}`).toBe(`${segments}: ${state}`)
    }
    session.verify()
  })

  test('over IPv6 too', async () => {
    const session = startSession(plane, configuration(2, 3))
    const flow = { ...tcp, source: 'fd64::7', destination: '2001:db8::10' }
    await play(session, flow, `${OPEN} >PA <PA >FA <FA >A`, hooks)
    expect(session.connection(flow)?.state).toBe('TIME_WAIT')
    session.verify()
  })

  test.each([`${OPEN} >FA`, `${OPEN} <FA`, `${OPEN} >FA <FA`, `${OPEN} >R`, '>S <RA'])(
    'a SYN after %s starts another connection',
    async (segments) => {
      const session = startSession(plane, configuration(2, 3, 4, 5, 6, 7, 8, 9))
      await play(session, tcp, segments, hooks)
      const before = session.connection(tcp)!
      // Its backend is chosen anew: eight times in a row the same one comes once in 16 million.
      const chosen = new Set([before.backend.ip])
      for (let i = 0; i < 8; i++) {
        await play(session, tcp, '>S', hooks)
        const now = session.connection(tcp)!
        expect(now.state).toBe('SYN')
        expect(session.model.connections).toEqual([now])
        chosen.add(now.backend.ip)
        await play(session, tcp, '<SA >A >FA <FA', hooks)
      }
      expect(chosen.size).toBeGreaterThan(1)
      session.verify()
    },
  )

  test('a SYN repeated while it opens, or once it is open, keeps the backend', async () => {
    const session = startSession(plane, configuration(2, 3, 4, 5, 6, 7, 8, 9))
    for (let i = 0; i < 10; i++) {
      const flow = { ...tcp, sourcePort: 6000 + i }
      await play(session, flow, `>S >S >S <SA >S >A >S`, hooks)
    }
    expect(session.model.connections).toHaveLength(10)
    session.verify()
  })

  test('a SYN for an ended connection to where nobody listens any more passes', async () => {
    const session = startSession(plane, configuration(2))
    await play(session, tcp, `${OPEN} >R`, hooks)
    session.activate({ ...configuration(2), listeners: [] }, 1)
    const { fate } = await session.forward(hooks.client, tcp, { flags: 'S' })
    expect(fate.reason).toBe('LB_PASS_NO_LISTENER')
    session.verify()
  })
})

describe.each(everywhere)('UDP at $client and $backend', ({ client, backend }) => {
  test.each([
    ['IPv4', { ...tcp, protocol: 'udp' as const }],
    ['IPv6', { ...tcp, protocol: 'udp' as const, source: 'fd64::7', destination: '2001:db8::10' }],
  ])('over %s is one-way until a reply comes', async (_, flow) => {
    const session = startSession(plane, configuration(2, 3))
    await session.forward(client, flow)
    await session.forward(client, flow)
    expect(session.connection(flow)?.state).toBe('UDP_ONEWAY')
    session.verify()
    await session.reply(backend, flow)
    expect(session.connection(flow)?.state).toBe('UDP_STREAM')
    await session.forward(client, flow)
    session.verify()
  })
})
