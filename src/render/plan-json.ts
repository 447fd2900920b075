/** The document of `lb plan --json`. */
import type { Change, Drift, Plan } from '../engine/model/plan.ts'

export interface PlanDocument {
  readonly formatVersion: 1
  readonly instance: string
  readonly live: Plan['live']
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly summary: Plan['summary']
}

export function planJson({ instance, live, changes, drift, summary }: Plan): PlanDocument {
  return {
    formatVersion: 1,
    instance,
    live: { generation: live.generation, fingerprint: live.fingerprint },
    changes: changes.map(changeFields),
    drift: drift.map((row): Drift => ({ ...changeFields(row), where: row.where })),
    summary,
  }
}

function changeFields({ address, action, before, after }: Change): Change {
  return { address, action, before, after } as Change
}
