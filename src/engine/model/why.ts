/** Why a target has the share that it has: what `lb why` shows. */
import type { TargetKey, TargetRuntime, WeightCause, WeightChange } from './runtime.ts'

export interface WhyDocument {
  readonly formatVersion: 1
  readonly instance: string
  readonly target: TargetKey
  readonly lists: readonly ListShare[]
  /** What each of them leaves of the weight, in millionths, in the order of precedence. */
  readonly factors: readonly { readonly cause: WeightCause; readonly factor: number }[]
  readonly runtime: TargetRuntime
  /** `drain: true` in the configuration. */
  readonly drainConfigured: boolean
  /** Oldest first. */
  readonly history: readonly WeightChange[]
}

/** Its share of a list. */
export interface ListShare {
  /** `null`: the default target; else the network of the source route. */
  readonly source: string | null
  /** In percent. */
  readonly configured: number
  readonly effective: number
  /** The one that is named for the difference. */
  readonly cause: WeightCause
}
