/** Comparing attributes by value. */
import type { Attributes, Json } from './json.ts'

/** The attributes in which two states of a resource differ, `undefined` where absent. */
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
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]))
  }
  const left = a as Attributes
  const right = b as Attributes
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]))
  )
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
