/** A data plane that is given one case after another, in a process inside the network namespace. */
import type { BpfObject, BpfProgram } from '../../../native/index.ts'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import type { Configuration, Connection, Endpoint, Hook, Model, Verdict } from '../../support/model.ts'
import { PROTOCOL_NUMBERS } from '../../support/packet.ts'
import { skbContext, xdpContext, type Devices } from '../support/inside.ts'
import { world } from '../support/network.ts'
import { PROGRAMS, reasonName, verdictOf } from '../support/outcome.ts'
import { loadPlane } from '../support/plane.ts'
import { stateDifferences } from '../support/state-compare.ts'
import { makeTables } from '../support/tables.ts'
import { slotWriter } from './slot.ts'

/** Configurations of one case. */
const SLOTS = 2

export interface Ran {
  readonly verdict: Verdict
  readonly data: Uint8Array
}

export interface Arena {
  /** Forgets all connections and counters; makes the first configuration active. */
  begin(configurations: readonly Configuration[]): void
  activate(which: number | 'none'): void
  run(hook: Hook, device: string, frame: Uint8Array): Ran
  /** What the last packet was counted as: `expected` where it is exactly that, else all that was counted. */
  reasonOf(expected: string): string
  /** Those of the model's connections that the data plane does not hold. */
  evicted(model: Model): Connection[]
  /** Sentences about all that is not as the model has it. */
  stateDifferences(model: Model, configuration: Configuration): string[]
  close(): void
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)
const ROWS: Readonly<Record<string, number>> = enums.lb_reason

export function createArena(objectPath: string, devices: Devices): Arena {
  const plane = loadPlane(objectPath, { partitions: 2, backendCapacity: 128 })
  const { object } = plane
  const programs = openPrograms(object)
  const contexts = new Map(Object.keys(devices).map((device) => [device, skbContext({ device }, devices)]))
  const reasons = object.map('reasons')
  const slots = Array.from({ length: SLOTS }, (_, slot) => slotWriter(object, slot))
  /** What has been counted since `begin`, as far as it was asked for. */
  const counted = new Map<string, number>()

  function counts(): Map<string, number> {
    const { values, count } = reasons.readAll()
    return new Map(Array.from({ length: count }, (_, row) => [reasonName(row), sum(values, row, count)]))
  }

  return {
    begin(configurations) {
      plane.reset()
      counted.clear()
      for (const [i, configuration] of configurations.entries()) {
        slots[i]!.write(makeTables(configuration, world, devices))
      }
      plane.activate(0)
    },
    activate: (which) => plane.activate(which === 'none' ? enums.lb_limit.LB_SLOT_NONE : which),
    run(hook, device, data) {
      const context = hook === 'xdp' ? xdpContext({ data, device }, devices) : contexts.get(device)!
      const { retval, data: out } = programs[hook].testRun({ data, context, outSize: data.length })
      return { verdict: verdictOf(hook, retval | 0), data: out }
    },
    reasonOf(expected) {
      const before = counted.get(expected) ?? 0
      counted.set(expected, before + 1)
      const value = reasons.lookup(u32(ROWS[expected]!))!
      if (sum(value, 0, 1) === before + 1) return expected
      counted.set(expected, before)
      const more = [...counts()].filter(([name, count]) => count !== (counted.get(name) ?? 0))
      return more.map(([name]) => name).join('+')
    },
    evicted(model) {
      const forward = plane.connections().filter(({ reverse }) => !reverse)
      const held = new Set(forward.map((row) => endsOf(row.source, row.destination, row.protocol)))
      return model.connections.filter(
        ({ client, listener, protocol }) => !held.has(endsOf(client, listener, PROTOCOL_NUMBERS[protocol])),
      )
    },
    stateDifferences(model, configuration) {
      const extra = [...counts()].filter(([name, count]) => count !== (counted.get(name) ?? 0))
      return [
        ...extra.map(([name, count]) => `${name} counted ${count} times, not ${counted.get(name) ?? 0}`),
        ...stateDifferences(plane, model, configuration),
      ]
    },
    close() {
      for (const slot of slots) slot.close()
      for (const program of Object.values(programs)) program.close()
      reasons.close()
      plane.close()
    },
  }
}

function openPrograms(object: BpfObject): Readonly<Record<Hook, BpfProgram>> {
  return {
    xdp: object.program(PROGRAMS.xdp),
    ingress: object.program(PROGRAMS.ingress),
    egress: object.program(PROGRAMS.egress),
  }
}

function endsOf(source: Endpoint, destination: Endpoint, protocol: number): string {
  return [source.ip, source.port, destination.ip, destination.port, protocol].join(' ')
}

/** The sum over all CPUs of a row of 64-bit counters. */
function sum(values: Uint8Array, row: number, rows: number): number {
  const stride = values.length / rows
  const view = new DataView(values.buffer, values.byteOffset + row * stride, stride)
  let total = 0
  for (let at = 0; at < stride; at += 8) total += Number(view.getBigUint64(at, true))
  return total
}
