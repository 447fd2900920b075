/** What turns one deployment into another, resource by resource. */
import type { Change, Summary } from '../model/plan.ts'
import { sameJson } from '../model/compare.ts'
import { usualAttributes } from '../model/resource.ts'
import type { Resources } from '../model/resource.ts'

/**
 * The changes that turn `live` into `desired`: those of `desired` in its order, then those of what is not
 * in it, which is deleted or becomes what it usually is.
 */
export function diff(live: Resources, desired: Resources): Change[] {
  const changes: Change[] = []
  for (const [address, after] of desired) {
    const before = live.get(address) ?? usualAttributes(address)
    if (before === undefined) changes.push({ action: 'create', address, before: null, after })
    else if (!sameJson(before, after)) changes.push({ action: 'update', address, before, after })
  }
  for (const [address, before] of live) {
    if (desired.has(address)) continue
    const after = usualAttributes(address)
    if (after === undefined) changes.push({ action: 'delete', address, before, after: null })
    else changes.push({ action: 'update', address, before, after })
  }
  return changes
}

export function summarise(changes: readonly Change[]): Summary {
  const count = (action: Change['action']): number => changes.filter((c) => c.action === action).length
  return { create: count('create'), update: count('update'), delete: count('delete') }
}
