/** A case of the random test: configurations, and packets one after another. Plain data, so that it can be printed and read back. */
import type { Configuration, Hook } from '../../support/model.ts'
import type { Extra, Flow } from '../support/flow.ts'

export interface Case {
  /** Each in a slot of its own, the first one active at the start. All have the same groups. */
  readonly configurations: readonly Configuration[]
  readonly steps: readonly Step[]
}

export type Step = Activation | Packet

export interface Activation {
  /** Which configuration packets see from now on. */
  readonly activate: number | 'none'
}

export interface Packet {
  readonly hook: Hook
  readonly device: string
  /** A reply comes from whichever backend the flow has been given by then, or else from some host. */
  readonly from: 'client' | 'backend'
  readonly flow: Flow
  readonly extra?: Extra
  /** Its payload is such that its checksum becomes zero when the packet is translated. */
  readonly zeroSum?: true
  /** What happens to the frame then, in this order. */
  readonly damage?: readonly Damage[]
}

export type Damage =
  /** A byte written. */
  | { readonly at: number; readonly set: number }
  /** A byte made greater, modulo 256. */
  | { readonly at: number; readonly add: number }
  /** A tag of this type put behind the MAC addresses. */
  | { readonly vlan: number }
  /** The frame ends after so many bytes. */
  | { readonly cut: number }
