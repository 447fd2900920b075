/** What turns one deployment into another, resource by resource. */
import type { Change, Summary } from '../model/plan.ts'
import type { Attributes, Json, Resources } from '../model/resource.ts'

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

/** The attributes in which two states of a resource differ, sorted by name; `undefined` where absent. */
export function changedAttributes(
  before: Attributes,
  after: Attributes,
): { name: string; before: Json | undefined; after: Json | undefined }[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .filter((name) => !sameJson(before[name], after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }))
}

export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => sameJson(x, b[i]))
    )
  }
  const left = a as Attributes
  const right = b as Attributes
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]))
  )
}
