/** The vocabulary of reloading. */

/** Why something is looked at again. `kernel`: what serves changed, or it was time to compare. */
export type Trigger = 'start' | 'file' | 'signal' | 'request' | 'retry' | 'kernel'

/** How the files, as last read, and the kernel stand to each other. */
export type Agreement =
  | { readonly state: 'unknown' }
  | { readonly state: 'in-sync' }
  /** A plan waits for `lb apply`: because a person approves, or because a guard refused it. */
  | { readonly state: 'pending' | 'refused'; readonly changes: number; readonly key: string }
  /** The kernel was changed by somebody else, and left so. */
  | { readonly state: 'drifted'; readonly changes: number; readonly key: string }
  /** Tried again by itself. `of`: putting in place what the files say, or only comparing with it. */
  | { readonly state: 'failed'; readonly of: 'files' | 'kernel'; readonly message: string }

export interface ReloadState {
  readonly phase: 'idle' | 'settling' | 'loading' | 'applying'
  /** Of what is under way, or was last. */
  readonly trigger: Trigger
  /** What came up meanwhile. */
  readonly queued: Trigger | undefined
  /** When a burst of changes began, in ms. */
  readonly touchedAt: number
  /** Of the files as they were last read. */
  readonly digest: string | undefined
  readonly file: 'unknown' | 'valid' | 'invalid'
  readonly agreement: Agreement
  /** That serves, as last seen; `undefined` before the first look. */
  readonly generation: number | undefined
  /** In a row. */
  readonly failures: number
}

export interface ReloadPolicy {
  readonly approve: 'auto' | 'manual'
  readonly onDrift: 'report' | 'reconcile'
  /** How long files have to be left alone, and how long that is waited for at most. */
  readonly debounceMs: number
  readonly maxDelayMs: number
  readonly retryMs: number
  readonly maxRetryMs: number
}

/** What came of loading. */
export interface Planned {
  /** `undefined` where the files were not read again. */
  readonly digest: string | undefined
  readonly changes: number
  /** The generation that it was planned against. */
  readonly generation: number
  /** The same while files and kernel both stay as they are. */
  readonly key: string
  /** A guard says no. */
  readonly refused: boolean
  /** This very configuration was applied before, and somebody moved on from it. */
  readonly appliedBefore: boolean
  /** Nothing but interfaces of the host that went and came back as others. */
  readonly hostOnly: boolean
}

export type ReloadEvent =
  | { readonly on: 'touched'; readonly at: number }
  | { readonly on: 'settled' }
  | { readonly on: 'asked'; readonly trigger: Exclude<Trigger, 'file'> }
  /** A look at which generation serves. */
  | { readonly on: 'seen'; readonly generation: number }
  /** We made a generation outside reloads, as for DNS. */
  | { readonly on: 'own'; readonly generation: number }
  /** Of a load: the files are as they were, or there is nothing in memory to compare. */
  | { readonly on: 'same' }
  | { readonly on: 'invalid'; readonly digest: string }
  /** Valid, but the host or the kernel is not up to it. */
  | { readonly on: 'unplanned'; readonly digest: string | undefined; readonly message: string }
  | { readonly on: 'planned'; readonly plan: Planned }
  /** Of an apply. */
  | { readonly on: 'applied'; readonly generation: number }
  | { readonly on: 'stale' }
  | { readonly on: 'failed'; readonly message: string }

/** `released`: somebody applied what waited. `drifted`: left alone, because somebody moved on from it. */
export type Outcome =
  'applied' | 'unchanged' | 'invalid' | 'pending' | 'refused' | 'released' | 'drifted' | 'failed'

export type Report =
  | {
      readonly what: 'reload'
      readonly trigger: Trigger
      readonly outcome: Outcome
      readonly message?: string
    }
  | { readonly what: 'foreign'; readonly from: number; readonly to: number }
  | { readonly what: 'drift'; readonly state: 'found' | 'gone'; readonly changes: number }

export type Task =
  /** Say `settled` after so long, instead of whatever was said before. */
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'load'
      readonly from: 'files' | 'memory'
      /** Not where the files have this digest. */
      readonly unless: string | undefined
    }
  /** The plan that was loaded last. */
  | { readonly do: 'apply' }
  /** Ask again after so long. */
  | { readonly do: 'retry'; readonly ms: number; readonly trigger: 'retry' | 'kernel' }
  | { readonly do: 'report'; readonly report: Report }

export interface ReloadStep {
  readonly state: ReloadState
  readonly tasks: readonly Task[]
}
