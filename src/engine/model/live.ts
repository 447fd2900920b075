/** What is pinned, as read back. */
import type { Drift, Summary } from './plan.ts'
import { DEFAULT_SETTINGS } from './snapshot.ts'
import type { Deployment, Target } from './snapshot.ts'

/** How a generation came to be; kept, frozen, in its manifest. */
export interface Provenance {
  readonly number: number
  readonly slot: number
  /** The generation that served before, which `lb rollback` goes back to; 0: none. */
  readonly replaced: number
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly user: string
  readonly sources: readonly string[]
  /** SHA-256 of the canonical configuration, in hex. */
  readonly configHash: string
  readonly summary: Summary
  /** Made because names have other addresses; absent: because somebody wanted it. */
  readonly cause?: 'dns'
  /** Of a generation that a rollout made on its way, or at its end. */
  readonly rollout?: RolloutRecord
}

/** What a rollout that is interrupted has to be told when it goes on. */
export interface RolloutRecord {
  readonly proxy: string
  /** The targets from before it began. */
  readonly before: readonly Target[]
  /** Digest of the targets that it leads to. */
  readonly to: string
}

/** A generation that is still loaded. */
export interface GenerationRecord {
  readonly number: number
  readonly slot: number
  readonly active: boolean
  /** `undefined` where its manifest is missing or unreadable. */
  readonly provenance: Provenance | undefined
}

export interface ProgramState {
  /** SHA-256 of the object file that the pinned programs came from, in hex. */
  readonly sha256: string
}

export interface LiveState {
  readonly instance: string
  /** 0: nothing is applied. */
  readonly generation: number
  readonly slot: number
  readonly fingerprint: string
  /** What the maps say. */
  readonly deployment: Deployment
  /** What the last apply made them say; `undefined` where that cannot be told. */
  readonly applied: Deployment | undefined
  readonly drift: readonly Drift[]
  readonly program: ProgramState | undefined
}

export const EMPTY_DEPLOYMENT: Deployment = {
  snapshot: { proxies: [], interfaces: [], settings: DEFAULT_SETTINGS },
  attachments: [],
}
