/**
 * The process in the load balancer's namespace: the kernel takes interfaces and routes from the
 * namespace of the process that asks for a run. Measures every scenario once and sends the results.
 */
import { join } from 'node:path'
import { BpfMap, BpfProgram, interfaces } from '../../native/index.ts'
import { ipBytes, patch } from '../../test/support/packet.ts'
import { enums } from '../../src/engine/abi/layout.generated.ts'
import { ends, firstAddress, otherFrame, places, tcpFrame, type Direction, type Family } from './frames.ts'
import { tableOf } from './table.ts'
import { Replay, type Hook } from './replay.ts'
import {
  newConnections,
  otherFlows,
  otherPackets,
  packetsOf,
  routePorts,
  scenarios,
  silentPort,
  TABLE_CONNECTIONS,
  type Scenario,
} from './scenarios.ts'

type Reason = keyof typeof enums.lb_reason

interface Bench {
  readonly object: string
  readonly programs: Readonly<Record<Hook, BpfProgram>>
  readonly reasons: BpfMap
  readonly devices: ReadonlyMap<string, { readonly ifindex: number; readonly mac: string }>
  /** Connections that were made so far. */
  readonly flows: Record<Family, number>
}

interface Shot {
  readonly hook: Hook
  readonly family: Family
  readonly direction: Direction
  readonly frame: Uint8Array
  readonly firstFlow: number
  readonly flows: number
  readonly packets: number
  readonly expected: Reason
}

function open(instance: string, object: string): Bench {
  const pins = join('/sys/fs/bpf/lb', instance)
  return {
    object,
    programs: {
      xdp: BpfProgram.openPinned(join(pins, 'prog/xdp')),
      tc: BpfProgram.openPinned(join(pins, 'prog/tc_ingress')),
    },
    reasons: BpfMap.openPinned(join(pins, 'reasons')),
    devices: new Map(interfaces().map((device) => [device.name, device])),
    flows: { ipv4: 0, ipv6: 0 },
  }
}

const deviceOf = ({ devices }: Bench, direction: Direction) =>
  devices.get(direction === 'forward' ? 'front0' : 'back0')!

function frame(bench: Bench, family: Family, direction: Direction, flags: string, port: number): Uint8Array {
  return tcpFrame(family, direction, { flags, port, mac: deviceOf(bench, direction).mac })
}

/** Packets by the reason for their verdict, so far. */
function counts({ reasons }: Bench): number[] {
  const { values, count } = reasons.readAll()
  const cpus = reasons.valueStride / 8
  const words = new BigUint64Array(values.slice().buffer)
  return Array.from({ length: count }, (_, row) =>
    Number(words.subarray(row * cpus, (row + 1) * cpus).reduce((sum, word) => sum + word, 0n)),
  )
}

/** What the packets in between were counted as. */
function countedSince(before: readonly number[], after: readonly number[]): Partial<Record<Reason, number>> {
  const names = Object.entries(enums.lb_reason) as [Reason, number][]
  return Object.fromEntries(
    names.flatMap(([name, row]) => (after[row] === before[row] ? [] : [[name, after[row]! - before[row]!]])),
  )
}

function replayOf(
  bench: Bench,
  { hook, family, direction, table, ...shot }: Omit<Shot, 'expected'> & { readonly table?: BpfMap },
): Replay {
  const at = places[family][direction]
  return new Replay({
    object: bench.object,
    hook,
    frame: shot.frame,
    addressAt: at.address,
    portAt: at.port,
    firstAddress: firstAddress[family],
    firstFlow: shot.firstFlow,
    flows: shot.flows,
    ifindex: deviceOf(bench, direction).ifindex,
    ...(table && { table }),
  })
}

/** Nanoseconds of our program for a packet. @throws where not every packet was counted as expected */
function shoot(bench: Bench, shot: Shot): number {
  const { hook, packets, expected } = shot
  using replay = replayOf(bench, shot)
  const before = counts(bench)
  const whole = replay.measure(bench.programs[hook], packets)
  const counted = countedSince(before, counts(bench))
  // There may be more: the hosts of the lab look for their neighbours.
  if ((counted[expected] ?? 0) < packets) {
    const { frame: _, ...what } = shot
    throw new Error(`packets were counted as ${JSON.stringify(counted)}: ${JSON.stringify(what)}`)
  }
  return whole - replay.baseline(packets)
}

/** Handshakes, so that there are so many connections. */
function establish(bench: Bench, family: Family, flows: number): void {
  const first = bench.flows[family]
  if (flows <= first) return
  const steps: readonly (readonly [Direction, string])[] = [
    ['forward', 'S'],
    ['reverse', 'SA'],
    ['forward', 'A'],
  ]
  for (const [direction, flags] of steps) {
    const packets = flows - first
    const one = frame(bench, family, direction, flags, routePorts[0])
    const shot = { hook: 'xdp', family, direction, frame: one, firstFlow: first, flows: packets } as const
    shoot(bench, { ...shot, packets, expected: 'LB_REDIRECT' })
  }
  bench.flows[family] = flows
}

function measure(bench: Bench, scenario: Scenario): number {
  const packets = packetsOf(scenario)
  const { hook } = scenario
  const common = { hook, family: 'ipv4', direction: 'forward', packets } as const
  switch (scenario.kind) {
    case 'established': {
      const { family, direction, flows } = scenario
      establish(bench, family, flows)
      const one = frame(bench, family, direction, 'A', routePorts[0])
      const shot = { hook, family, direction, frame: one, firstFlow: 0, flows, packets } as const
      // Once before, so that what is measured is not the first packet of every flow.
      shoot(bench, { ...shot, packets: flows, expected: 'LB_REDIRECT' })
      return shoot(bench, { ...shot, expected: 'LB_REDIRECT' })
    }
    case 'lookup': {
      const { flows } = scenario
      const one = frame(bench, 'ipv4', 'forward', 'A', routePorts[0])
      using table = tableOf(TABLE_CONNECTIONS, flows)
      using replay = replayOf(bench, { ...common, frame: one, firstFlow: 0, flows, table })
      replay.lookup(flows)
      return replay.lookup(packets) - replay.baseline(packets)
    }
    case 'route': {
      const { direction } = scenario
      using replay = replayOf(bench, {
        ...common,
        direction,
        frame: routed(bench, direction),
        firstFlow: 0,
        flows: otherFlows,
      })
      return replay.route(packets) - replay.baseline(packets)
    }
    case 'other': {
      const port = scenario.what === 'SYN to nobody' ? silentPort : routePorts[0]
      const flags = scenario.what === 'SYN to nobody' ? 'S' : 'A'
      const { mac } = deviceOf(bench, 'forward')
      const one = scenario.what === 'not IP' ? otherFrame(mac) : frame(bench, 'ipv4', 'forward', flags, port)
      const firstFlow = 2 ** 20
      return shoot(bench, {
        ...common,
        frame: one,
        firstFlow,
        flows: otherFlows,
        expected: otherPackets[scenario.what],
      })
    }
    case 'new':
      return measureNew(bench, scenario, { ...common, firstFlow: scenario.firstFlow, flows: newConnections })
  }
}

/** A frame as it is once its addresses are rewritten: to the backend, or from the listener to the client. */
function routed(bench: Bench, direction: Direction): Uint8Array {
  const one = frame(bench, 'ipv4', direction, 'A', routePorts[0])
  const { backend, listener } = ends.ipv4
  return patch(one, direction === 'forward' ? bytesAt(30, backend) : bytesAt(26, listener))
}

const bytesAt = (at: number, ip: string) =>
  Object.fromEntries(Array.from(ipBytes(ip), (byte, i) => [at + i, byte]))

/** That they are new, and that they were entered, is seen from packets without SYN before and after. */
function measureNew(
  bench: Bench,
  { routes }: Extract<Scenario, { kind: 'new' }>,
  shot: Omit<Shot, 'frame' | 'expected'>,
): number {
  const syn = frame(bench, 'ipv4', 'forward', 'S', routePorts[routes])
  const ack = frame(bench, 'ipv4', 'forward', 'A', routePorts[routes])
  shoot(bench, { ...shot, frame: ack, expected: 'LB_PASS_NO_CONNECTION' })
  const ns = shoot(bench, { ...shot, frame: syn, expected: 'LB_REDIRECT' })
  shoot(bench, { ...shot, frame: ack, expected: 'LB_REDIRECT' })
  return ns
}

const [instance = '', object = ''] = process.argv.slice(2)
const bench = open(instance, object)
process.stdout.write(JSON.stringify(scenarios.map((scenario) => measure(bench, scenario))))
