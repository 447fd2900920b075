/** The frames that a case's packets become. */
import type { Connection, Endpoint } from '../../support/model.ts'
import { ipBytes, onesSum, PROTOCOL_NUMBERS, pseudoSum } from '../../support/packet.ts'
import { forwardFrame, replyFrame, type Flow } from '../support/flow.ts'
import type { Damage, Packet } from './case.ts'

const same = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port

function connectionOf(flow: Flow, connections: readonly Connection[]): Connection | undefined {
  return connections.find(
    (c) =>
      c.protocol === flow.protocol &&
      same(c.client, { ip: flow.source, port: flow.sourcePort }) &&
      same(c.listener, { ip: flow.destination, port: flow.destinationPort }),
  )
}

/** Can be reached; and who answers flows that no backend has. */
export const PLAIN_BACKEND: Readonly<Record<'ipv4' | 'ipv6', Endpoint>> = {
  ipv4: { ip: '10.2.0.2', port: 8080 },
  ipv6: { ip: 'fd02::2', port: 8080 },
}

export function frameOf(packet: Packet, connections: readonly Connection[]): Uint8Array {
  const { hook, from, flow, device, extra = {}, zeroSum, damage = [] } = packet
  const known = connectionOf(flow, connections)
  const backend = known?.backend ?? PLAIN_BACKEND[flow.source.includes(':') ? 'ipv6' : 'ipv4']
  const make = from === 'client' ? forwardFrame : withBackend(backend)
  const frame = make(flow, extra, device)
  const translated = zeroSum && known && translatedEnds(packet, known)
  const sent = damage.reduce(damaged, translated ? withZeroSum(frame, flow, translated) : frame)
  return hook === 'xdp' ? sent : withHeader(sent)
}

/** The kernel has no test run of tc programs on a frame that ends within its IP header: zeros stand for the rest. */
function withHeader(frame: Uint8Array): Uint8Array {
  const least = { 0x0800: 14 + 20, 0x86dd: 14 + 40 }[word(frame, 12)] ?? 0
  if (frame.length >= least) return frame
  const out = new Uint8Array(least)
  out.set(frame)
  return out
}

const withBackend =
  (backend: Endpoint): typeof forwardFrame =>
  (flow, extra, device) =>
    replyFrame(flow, backend, extra, device)

/** Source and destination that the packet has once it is translated. */
function translatedEnds({ from }: Packet, { client, listener, backend }: Connection): [Endpoint, Endpoint] {
  return from === 'client' ? [client, backend] : [listener, client]
}

/**
 * The frame with the last two bytes of its payload, and the checksum, made so that the translated
 * packet's words add up to 0xffff: its checksum is zero, which UDP has to write in another way.
 */
function withZeroSum(frame: Uint8Array, { protocol }: Flow, ends: readonly [Endpoint, Endpoint]): Uint8Array {
  const v6 = ends[0].ip.includes(':')
  const l4 = 14 + (v6 ? 40 : 20)
  const header = protocol === 'tcp' ? 20 : 8
  const end = 14 + (v6 ? 40 + word(frame, 18) : word(frame, 16))
  // Only plain packets with an even payload: a word of it can be chosen.
  const plain = v6 ? frame[20] === PROTOCOL_NUMBERS[protocol] : frame[14] === 0x45
  if (!plain || end - l4 < header + 2 || (end - l4) % 2 !== 0) return frame
  const check = l4 + (protocol === 'tcp' ? 16 : 6)
  const out = frame.slice()
  const sumWith = (source: Endpoint, destination: Endpoint): number => {
    const body = out.slice(l4, end)
    body.set([source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255])
    const addresses = [ipBytes(source.ip), ipBytes(destination.ip)] as const
    return onesSum(body, pseudoSum(...addresses, PROTOCOL_NUMBERS[protocol], body.length))
  }
  put(out, check, 0)
  put(out, end - 2, 0)
  put(out, end - 2, 0xffff - sumWith(...ends))
  const size = v6 ? 16 : 4
  const addresses = 14 + (v6 ? 8 : 12)
  const now = pseudoSum(
    out.subarray(addresses, addresses + size),
    out.subarray(addresses + size, addresses + 2 * size),
    PROTOCOL_NUMBERS[protocol],
    end - l4,
  )
  const sum = onesSum(out.subarray(l4, end), now) ^ 0xffff
  put(out, check, protocol === 'udp' && sum === 0 ? 0xffff : sum)
  return out
}

const word = (frame: Uint8Array, at: number): number => (frame[at]! << 8) | frame[at + 1]!

function put(frame: Uint8Array, at: number, value: number): void {
  frame.set([value >> 8, value & 255], at)
}

function damaged(frame: Uint8Array, damage: Damage): Uint8Array {
  if ('cut' in damage) return frame.slice(0, damage.cut)
  if ('vlan' in damage) {
    const tag = [damage.vlan >> 8, damage.vlan & 255, 0, 5]
    return Uint8Array.from([...frame.subarray(0, 12), ...tag, ...frame.subarray(12)])
  }
  if (damage.at >= frame.length) return frame
  return frame.with(damage.at, 'set' in damage ? damage.set : (frame[damage.at]! + damage.add) & 255)
}
