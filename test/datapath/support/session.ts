/** A data plane and the model of it, fed the same frames. */
import { expect } from 'vitest'
import { differences, type Observed } from '../../support/model-compare.ts'
import {
  createModel,
  type Configuration,
  type Endpoint,
  type Fate,
  type Hook,
  type Model,
} from '../../support/model.ts'
import type { Dataplane } from './dataplane.ts'
import { destinationOf, forwardFrame, replyFrame, type Extra, type Flow } from './flow.ts'
import { world } from './network.ts'
import { stateDifferences } from './state-compare.ts'
import { makeTables, type Timeouts } from './tables.ts'

export { forwardFrame, replyFrame, type Extra, type Flow } from './flow.ts'

export interface Session {
  readonly model: Model
  readonly configuration: Configuration
  /** Runs a frame; fails unless the model agrees with all that became of it. */
  send(hook: Hook, frame: Uint8Array, device: string): Promise<Outcome>
  /** From the client, by `client0`. */
  forward(hook: Hook, flow: Flow, extra?: Extra, device?: string): Promise<Outcome>
  /** From the flow's backend: by `server0`, and out by `client0` at egress. */
  reply(hook: Hook, flow: Flow, extra?: Extra): Promise<Outcome>
  connection(flow: Flow): Model['connections'][number] | undefined
  /** Fails unless the tables hold the model's connections and the counters its tallies. */
  verify(): void
  activate(configuration: Configuration, slot: number): void
}

export interface Outcome {
  readonly fate: Fate
  readonly observed: Observed
}

export function startSession(plane: Dataplane, configuration: Configuration, timeouts?: Timeouts): Session {
  plane.configure(configuration, timeouts)
  const model = createModel(configuration, world)

  async function send(hook: Hook, frame: Uint8Array, device: string): Promise<Outcome> {
    const [observed] = await plane.run(hook, [{ data: frame, device }])
    const fate = model.step(frame, hook, device, destinationOf(observed!.data))
    const name = Buffer.from(frame.subarray(0, 94)).toString('hex')
    expect(differences(frame, fate, observed!), name).toEqual([])
    return { fate, observed: observed! }
  }

  const connection: Session['connection'] = (flow) =>
    model.connections.find(
      (c) =>
        c.protocol === flow.protocol &&
        same(c.client, { ip: flow.source, port: flow.sourcePort }) &&
        same(c.listener, { ip: flow.destination, port: flow.destinationPort }),
    )

  return {
    model,
    configuration,
    send,
    connection,
    forward: (hook, flow, extra = {}, device = 'client0') =>
      send(hook, forwardFrame(flow, extra, device), device),
    reply(hook, flow, extra = {}) {
      const found = connection(flow)
      if (!found) throw new Error('no such connection')
      const device = hook === 'egress' ? 'client0' : 'server0'
      return send(hook, replyFrame(flow, found.backend, extra, device), device)
    },
    verify: () => expect(stateDifferences(plane, model, configuration)).toEqual([]),
    activate(next, slot) {
      plane.fill(slot, makeTables(next, world, plane.devices, timeouts))
      plane.activate(slot)
      model.configure(next)
    },
  }
}

const same = (a: Endpoint, b: Endpoint): boolean => a.ip === b.ip && a.port === b.port
