/**
 * Tables by their hashes. An apply writes those of the tables it made into the manifest; while the
 * maps still have them, nothing has drifted, and nothing has to be decoded or compiled to know it.
 */
import { TABLE_NAMES, TABLES } from '../abi/tables.ts'
import type { TableImage, TableImages, TableName, TableSpec } from '../abi/tables.ts'
import type { HostPort } from '../ports/host.ts'

export type TableDigests = Readonly<Record<TableName, string>>

export function digestTables(images: TableImages, { digest }: HostPort): TableDigests {
  const one = (name: TableName): string => digest(parts(TABLES[name], images[name]))
  return Object.fromEntries(TABLE_NAMES.map((name) => [name, one(name)])) as Record<TableName, string>
}

export function sameDigests(a: TableDigests, b: TableDigests): boolean {
  return TABLE_NAMES.every((name) => a[name] === b[name])
}

function parts(spec: TableSpec, { count, keys, values }: TableImage): (Uint8Array | string)[] {
  if (spec.kind === 'array') return [values]
  // A hash gives its entries in any order.
  const keyText = latin1(keys)
  const valueText = latin1(values)
  const rows = Array.from(
    { length: count },
    (_, i) =>
      keyText.slice(i * spec.keySize, (i + 1) * spec.keySize) +
      valueText.slice(i * spec.valueSize, (i + 1) * spec.valueSize),
  )
  return [rows.sort().join('')]
}

/** One character for each byte, another one for each value of it. */
function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}
