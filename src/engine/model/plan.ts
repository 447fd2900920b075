/** A plan is data: computed once, shown, saved, carried out exactly. */
import type { Attributes } from './resource.ts'
import type { Deployment } from './snapshot.ts'

export type Action = 'create' | 'update' | 'delete'

export type Change =
  | { readonly action: 'create'; readonly address: string; readonly before: null; readonly after: Attributes }
  | {
      readonly action: 'update'
      readonly address: string
      readonly before: Attributes
      readonly after: Attributes
    }
  | { readonly action: 'delete'; readonly address: string; readonly before: Attributes; readonly after: null }

/** A difference between what the last apply produced (`before`) and what the maps hold (`after`). */
export type Drift = Change & {
  /** The table, pin or hook it was found in. */
  readonly where: string
}

export interface Summary {
  readonly create: number
  readonly update: number
  readonly delete: number
}

export const PLAN_FORMAT_VERSION = 1

export interface Plan {
  readonly formatVersion: typeof PLAN_FORMAT_VERSION
  readonly instance: string
  /** Generation 0: nothing is applied. */
  readonly live: { readonly generation: number; readonly fingerprint: string }
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly summary: Summary
  /** Resources that stay as they are. */
  readonly unchanged: number
}

/** A plan with all that carrying it out takes, and what a stale one is compared with. */
export interface ExecutablePlan {
  readonly plan: Plan
  readonly base: Deployment
  readonly desired: Deployment
  readonly sources: readonly string[]
  readonly configHash: string
}

export function hasChanges({ summary }: Plan): boolean {
  return summary.create + summary.update + summary.delete > 0
}
