/** What `lb drain` and `lb undrain` tell. */
import type { DrainState, TargetKey } from './runtime.ts'

export interface DrainDocument {
  readonly formatVersion: 1
  readonly instance: string
  readonly target: TargetKey
  /** False: it was as asked for already. */
  readonly changed: boolean
  /** `cancelled`: somebody brought the target back meanwhile. */
  readonly outcome: Exclude<DrainState, 'none'> | 'cancelled'
  readonly connections: { readonly initial: number; readonly current: number }
  /** Milliseconds since 1970, UTC; `null`: none. */
  readonly deadline: number | null
}
