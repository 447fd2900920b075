/** Live state that no apply produced: every row of every table that is not as it was compiled. */
import { describeRow } from '../abi/describe.ts'
import { SETTING_FIELDS, SETTING_KEYS } from '../abi/names.ts'
import { indexKeys } from '../abi/key-index.ts'
import { keyAt, sameBytes, sameImage, TABLE_NAMES, TABLES, valueAt } from '../abi/tables.ts'
import type { TableImage, TableImages, TableName } from '../abi/tables.ts'
import type { Drift } from '../model/plan.ts'
import type { Deployment } from '../model/snapshot.ts'
import { changedAttributes } from '../model/compare.ts'
import { ownersOf } from './owners.ts'
import type { Owners } from './owners.ts'

/** Rows in which `found` differs from `expected`, which is what `applied` compiles to. */
export function tableDrift(applied: Deployment, expected: TableImages, found: TableImages): Drift[] {
  const differing = TABLE_NAMES.filter((name) => !sameImage(TABLES[name], expected[name], found[name]))
  if (differing.length === 0) return []
  const owners = ownersOf(applied)
  return differing.flatMap((name) =>
    TABLES[name].kind === 'array'
      ? arrayDrift(name, expected[name], found[name], owners)
      : hashDrift(name, expected[name], found[name], owners),
  )
}

function arrayDrift(name: TableName, expected: TableImage, found: TableImage, owners: Owners): Drift[] {
  const spec = TABLES[name]
  const drift: Drift[] = []
  for (let row = 0; row < Math.max(expected.count, found.count); row++) {
    const key = row < found.count ? keyAt(spec, found, row) : keyAt(spec, expected, row)
    const before = row < expected.count ? valueAt(spec, expected, row) : undefined
    const after = row < found.count ? valueAt(spec, found, row) : undefined
    if (before && after && sameBytes(before, after)) continue
    drift.push(...rowDrift(name, owners.row(name, row, key), before, after))
  }
  return drift
}

function hashDrift(name: TableName, expected: TableImage, found: TableImage, owners: Owners): Drift[] {
  const spec = TABLES[name]
  const rows = indexKeys(expected.keys, spec.keySize)
  const left = new Set(Array.from({ length: expected.count }, (_, row) => row))
  const drift: Drift[] = []
  for (let row = 0; row < found.count; row++) {
    const known = rows.find(found.keys, row)
    left.delete(known)
    const before = known === -1 ? undefined : valueAt(spec, expected, known)
    const after = valueAt(spec, found, row)
    if (before && sameBytes(before, after)) continue
    drift.push(...rowDrift(name, owners.row(name, row, keyAt(spec, found, row)), before, after))
  }
  for (const row of left) {
    const key = keyAt(spec, expected, row)
    drift.push(...rowDrift(name, owners.row(name, row, key), valueAt(spec, expected, row), undefined))
  }
  return drift
}

function rowDrift(
  name: TableName,
  address: string,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): Drift[] {
  const was = before && describeRow(name, before)
  const is = after && describeRow(name, after)
  const where = `table ${name}`
  if (name === 'settings' && was && is) {
    return changedAttributes(was, is).map((field) => ({
      action: 'update',
      address: SETTING_ADDRESSES[field.name] ?? `settings.${field.name}`,
      before: { value: field.before ?? null },
      after: { value: field.after ?? null },
      where,
    }))
  }
  if (was && is) return [{ action: 'update', address, before: was, after: is, where }]
  if (was) return [{ action: 'delete', address, before: was, after: null, where }]
  return is ? [{ action: 'create', address, before: null, after: is, where }] : []
}

/** Fields of lb_settings that a key of the configuration stands for. */
const SETTING_ADDRESSES: Readonly<Record<string, string>> = Object.fromEntries(
  SETTING_KEYS.map((key) => [SETTING_FIELDS[key], `settings.${key}`]),
)
