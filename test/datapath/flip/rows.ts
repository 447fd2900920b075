/** The structs of test/support/bpf/judge.bpf.c, by the names of their fields in its BTF. */
import { readBtf } from '../../../native/index.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { makeRows } from '../../../src/engine/abi/struct.ts'
import { ipBytes } from '../../support/packet.ts'
import type { Generation } from './generations.ts'
import { FRAME_SIZE, type Scenario } from './scenarios.ts'

const REASONS: Readonly<Record<string, number>> = enums.lb_reason

/** Packets by whose they were. */
export type Tally = Readonly<Record<Generation | 'neither', number>>

/** What was seen of a packet. */
export interface Sample {
  readonly scenario: number
  readonly reason: string
  readonly pressed: boolean
  readonly frame: Uint8Array
}

export interface Trial {
  readonly turns: number
  readonly last: Sample
  /** The first packet that was neither generation's. */
  readonly odd: Sample | undefined
}

export interface Codec {
  scenario(scenario: Scenario): Uint8Array
  /** For a run through the scenarios from `first` on. */
  trial(first: number, count: number): Uint8Array
  readTrial(bytes: Uint8Array): Trial
  readonly noTally: Uint8Array
  readTally(bytes: Uint8Array): Tally
}

const PROTOCOLS = { tcp: 6, udp: 17 } as const

/** The key of the connection's forward half. */
function tupleOf({ family, flow }: Scenario): Uint8Array {
  const key = family === 4 ? makeRows('lb_conn4_key', 1) : makeRows('lb_conn6_key', 1)
  key.put(0, 'saddr_be', ipBytes(flow.source))
  key.put(0, 'daddr_be', ipBytes(flow.destination))
  key.set(0, 'sport_be', flow.sourcePort)
  key.set(0, 'dport_be', flow.destinationPort)
  key.set(0, 'proto', PROTOCOLS[flow.protocol])
  return key.bytes
}

function nameOfReason(row: number): string {
  return Object.keys(REASONS).find((name) => REASONS[name] === row) ?? 'none or several'
}

/** `objectPath`: the compiled judge.bpf.c. */
export function codecOf(objectPath: string): Codec {
  const btf = readBtf(objectPath)
  const sizeOf = (struct: string): number => btf.structs.find(({ name }) => name === struct)!.size
  const at = (struct: string, field: string): number =>
    btf.structs.find(({ name }) => name === struct)!.fields.find(({ name }) => name === field)!.offset
  const valueOf = (name: string, value: string): number =>
    btf.enums.find((one) => one.name === name)!.values[value]!
  const generations = {
    neither: valueOf('generation', 'GENERATION_NEITHER'),
    A: valueOf('generation', 'GENERATION_A'),
    B: valueOf('generation', 'GENERATION_B'),
  }

  function sampleAt(bytes: Uint8Array, start: number): Sample {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const frame = start + at('sample', 'frame')
    return {
      scenario: view.getUint32(start + at('sample', 'scenario'), true),
      reason: nameOfReason(view.getUint32(start + at('sample', 'reason'), true)),
      pressed: view.getUint32(start + at('sample', 'pressed'), true) !== 0,
      frame: bytes.slice(frame, frame + FRAME_SIZE),
    }
  }

  return {
    scenario(scenario) {
      const bytes = new Uint8Array(sizeOf('scenario'))
      const view = new DataView(bytes.buffer)
      const ending = valueOf('ending', `ENDING_${scenario.ending}`)
      bytes.set(scenario.frame, at('scenario', 'frame'))
      bytes.set(tupleOf(scenario), at('scenario', 'tuple'))
      view.setUint32(at('scenario', 'v6'), scenario.family === 6 ? 1 : 0, true)
      view.setUint32(at('scenario', 'ending'), ending, true)
      view.setBigUint64(at('scenario', 'live'), BigInt(scenario.live), true)
      for (const [i, { generation, reason, frame, pressed }] of scenario.outcomes.entries()) {
        const start = at('scenario', 'outcomes') + i * sizeOf('outcome')
        bytes.set(frame, start + at('outcome', 'frame'))
        view.setUint32(start + at('outcome', 'generation'), generations[generation], true)
        view.setUint32(start + at('outcome', 'reason'), REASONS[reason]!, true)
        view.setUint32(start + at('outcome', 'pressed'), pressed ? 1 : 0, true)
      }
      return bytes
    },
    trial(first, count) {
      const bytes = new Uint8Array(sizeOf('trial'))
      const view = new DataView(bytes.buffer)
      view.setUint32(at('trial', 'first'), first, true)
      view.setUint32(at('trial', 'count'), count, true)
      return bytes
    },
    readTrial(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      const odds = view.getBigUint64(at('trial', 'odds'), true)
      return {
        turns: Number(view.getBigUint64(at('trial', 'turns'), true)),
        last: sampleAt(bytes, at('trial', 'last')),
        odd: odds > 0n ? sampleAt(bytes, at('trial', 'odd')) : undefined,
      }
    },
    noTally: new Uint8Array(sizeOf('tally')),
    readTally(bytes) {
      const counts = Array.from(new BigUint64Array(bytes.slice().buffer), Number)
      return {
        neither: counts[generations.neither]!,
        A: counts[generations.A]!,
        B: counts[generations.B]!,
      }
    },
  }
}
