/** The attributes of a resource as rows: structures taken apart (`listen.port`), lists and maps whole. */
import type { Attributes, Json } from '../../engine/model/resource.ts'
import { settingName } from './address.ts'

export interface AttributeRow {
  readonly name: string
  /** `undefined` where there is none. */
  readonly before: Json | undefined
  readonly after: Json | undefined
}

export type JsonMap = { readonly [key: string]: Json }

/** Rows of a resource before and after, `null` where it does not exist, by name. */
export function attributeRows(
  address: string,
  before: Attributes | null,
  after: Attributes | null,
): AttributeRow[] {
  const rows: AttributeRow[] = []
  for (const name of namesOf(before ?? {}, after ?? {})) {
    addRows(rows, shownName(address, name), own(before, name), own(after, name))
  }
  return rows
}

function shownName(address: string, name: string): string {
  return name === 'value' ? (settingName(address) ?? name) : name
}

function addRows(
  rows: AttributeRow[],
  name: string,
  before: Json | undefined,
  after: Json | undefined,
): void {
  if (!isStructureOrAbsent(before) || !isStructureOrAbsent(after)) {
    rows.push({ name, before, after })
    return
  }
  for (const key of namesOf(before ?? {}, after ?? {})) {
    addRows(rows, `${name}.${key}`, own(before, key), own(after, key))
  }
}

function namesOf(before: JsonMap, after: JsonMap): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
}

function own(map: JsonMap | null | undefined, key: string): Json | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A structure's keys are names; those of a map are data, such as `10.0.0.1:8080`. */
function isStructureOrAbsent(value: Json | undefined): value is JsonMap | undefined {
  if (value === undefined) return true
  if (!isMap(value)) return false
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every((key) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
}
