/** Plays a case to a data plane and to the model, and stops where they part. */
import { differences } from '../../support/model-compare.ts'
import { createModel, type Fate, type Model } from '../../support/model.ts'
import { destinationOf } from '../support/flow.ts'
import { world } from '../support/network.ts'
import type { Arena, Ran } from './arena.ts'
import type { Case, Packet } from './case.ts'
import { frameOf } from './frames.ts'

/** One packet, judged. */
export interface Judged {
  readonly step: number
  readonly packet: Packet
  readonly frame: Uint8Array
  readonly fate: Fate
  readonly got: Ran & { readonly reason: string }
  /** Connections that made room for it. */
  readonly evicted: number
}

export interface Mismatch {
  readonly judged: readonly Judged[]
  /** Sentences about the last packet; or about what is in the tables at the end. */
  readonly packet: readonly string[]
  readonly state: readonly string[]
}

/** `undefined`: they agree on everything. `onPacket` is told of each packet that they agree on. */
export function play(
  arena: Arena,
  { configurations, steps }: Case,
  onPacket: (judged: Judged, model: Model) => void = () => undefined,
): Mismatch | undefined {
  arena.begin(configurations)
  const model = createModel(configurations[0], world)
  const judged: Judged[] = []
  for (const [number, step] of steps.entries()) {
    if ('activate' in step) {
      arena.activate(step.activate)
      model.configure(step.activate === 'none' ? undefined : configurations[step.activate])
      continue
    }
    const frame = frameOf(step, model.connections)
    const ran = arena.run(step.hook, step.device, frame)
    const chosen = destinationOf(ran.data)
    let evicted = 0
    const fate = model.step(frame, step.hook, step.device, chosen, () => {
      const gone = arena.evicted(model)
      evicted = gone.length
      return gone
    })
    const got = { ...ran, reason: arena.reasonOf(fate.reason) }
    const one = { step: number, packet: step, frame, fate, got, evicted }
    judged.push(one)
    const found = differences(frame, fate, got)
    if (found.length > 0) return { judged, packet: found, state: [] }
    onPacket(one, model)
  }
  const state = arena.stateDifferences(model, configurations[0]!)
  return state.length > 0 ? { judged, packet: [], state } : undefined
}
