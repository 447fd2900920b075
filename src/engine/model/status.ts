/** What the daemon says of itself, over its socket. The data plane says the rest. */
import type { Action, Summary } from './plan.ts'

export interface DaemonStatus {
  readonly formatVersion: 1
  readonly instance: string
  readonly pid: number
  readonly version: string
  /** ISO 8601, as all times here. */
  readonly startedAt: string
  readonly approve: 'auto' | 'manual'
  readonly onDrift: 'report' | 'reconcile'
  readonly files: FilesStatus
  readonly agreement: AgreementStatus
  readonly lastReload: ReloadStatus | null
  /** Since the daemon started, by outcome. */
  readonly reloads: Readonly<Record<string, number>>
}

export interface FilesStatus {
  readonly paths: readonly string[]
  readonly state: 'unknown' | 'valid' | 'invalid'
  /** What is wrong with them, as `lb validate` shows it. */
  readonly problem: string | null
}

export interface AgreementStatus {
  readonly state: 'unknown' | 'in-sync' | 'pending' | 'refused' | 'drifted' | 'failed'
  readonly since: string
  /** Why it failed, or was refused. */
  readonly message: string | null
  /** What would make the kernel as the files say, where the two differ; the whole plan is at /v1/plan. */
  readonly summary: Summary | null
  /** The first of the changes. */
  readonly changes: readonly { readonly action: Action; readonly address: string }[]
}

export interface ReloadStatus {
  readonly at: string
  readonly trigger: string
  readonly outcome: string
  /** That serves since. */
  readonly generation: number
  readonly ms: number
  readonly message: string | null
}
