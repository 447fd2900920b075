/** What turns one deployment into another, resource by resource. */
import type { Change, Summary } from '../model/plan.ts'
import { sameJson } from '../model/compare.ts'
import type { Resources } from '../model/resource.ts'

/** The changes that turn `live` into `desired`: those of `desired` in its order, then deletions. */
export function diff(live: Resources, desired: Resources): Change[] {
  const changes: Change[] = []
  for (const [address, after] of desired) {
    const before = live.get(address)
    if (before === undefined) changes.push({ action: 'create', address, before: null, after })
    else if (!sameJson(before, after)) changes.push({ action: 'update', address, before, after })
  }
  for (const [address, before] of live) {
    if (!desired.has(address)) changes.push({ action: 'delete', address, before, after: null })
  }
  return changes
}

export function summarise(changes: readonly Change[]): Summary {
  const count = (action: Change['action']): number => changes.filter((c) => c.action === action).length
  return { create: count('create'), update: count('update'), delete: count('delete') }
}
