/** How an instance is: what the kernel's maps say, and what a daemon that runs adds. Times are ISO 8601. */
import type { PendingConfirmation } from './confirmation.ts'
import type { Action, Drift, Summary } from './plan.ts'
import type { PendingRemoval } from './removal.ts'
import type { BreakerState, DrainState, HealthState, WeightCause } from './runtime.ts'
import type { Attachment, Listen } from './snapshot.ts'

export interface StatusDocument {
  readonly formatVersion: 1
  readonly instance: string
  /** When it was looked. */
  readonly at: string
  /** That serves; `null`: nothing is applied. */
  readonly generation: GenerationStatus | null
  /** Where it goes by itself unless it is confirmed: by when, and what serves then. */
  readonly confirmation: PendingConfirmation | null
  /** What the maps hold that no apply made. */
  readonly drift: readonly Pick<Drift, 'action' | 'address' | 'where'>[]
  /** `null`: none runs. */
  readonly daemon: DaemonStatus | null
  readonly interfaces: readonly Pick<Attachment, 'name' | 'attach' | 'mode' | 'roles'>[]
  readonly proxies: readonly ProxyStatus[]
  /** Removed targets whose connections are to end, and that have some left. */
  readonly removals: readonly PendingRemoval[]
}

export interface GenerationStatus {
  readonly number: number
  readonly createdAt: string | null
  readonly user: string | null
  readonly sources: readonly string[]
}

export interface ProxyStatus {
  readonly name: string
  readonly listen: Listen
  /** Of its targets together. */
  readonly connections: number
  readonly targets: readonly TargetStatus[]
}

export interface TargetStatus {
  /** The source route whose target it is; `null`: a default target. */
  readonly source: string | null
  readonly ip: string
  readonly port: number
  /** The name that it is an address of. */
  readonly host: string | null
  /** As configured. */
  readonly weight: number | null
  /** Of its list's new connections, in percent: by weights, and with what is known. */
  readonly share: number
  readonly effectiveShare: number
  /** Why the two differ. */
  readonly cause: WeightCause
  /** Of its weight, in millionths. */
  readonly factor: number
  readonly health: HealthStatus
  readonly drain: {
    readonly state: DrainState
    readonly since: string | null
    readonly deadline: string | null
    readonly initial: number
  }
  readonly breaker: {
    readonly state: BreakerState
    readonly since: string | null
    readonly forced: boolean
    /** 0 to 1; only the daemon knows. */
    readonly errorRate: number | null
  }
  readonly connections: number
}

export interface HealthStatus {
  readonly state: HealthState
  readonly since: string | null
  /** Quarters of its weight that it has back. */
  readonly recovery: number
  /** What the daemon found last. */
  readonly last: {
    readonly at: string
    readonly ok: boolean
    readonly latencyMs: number
    readonly error: string | null
  } | null
}

/** A name, as the daemon knows it. */
export interface NameStatus {
  readonly host: string
  readonly family: string
  readonly addresses: readonly string[]
  readonly resolvedAt: string | null
  readonly failures: number
  readonly error: string | null
}

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
  readonly names: readonly NameStatus[]
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
