/**
 * Tables by their hashes. An apply writes those of the tables it made into the manifest; while the
 * maps still have them, nothing has drifted, and nothing has to be decoded or compiled to know it.
 */
import { sortedRows } from '../abi/key-index.ts'
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

function parts(spec: TableSpec, { keys, values }: TableImage): Uint8Array[] {
  if (spec.kind === 'array') return [values]
  // A hash gives its entries in any order.
  const rows = sortedRows(keys, spec.keySize)
  return [gather(keys, spec.keySize, rows), gather(values, spec.valueSize, rows)]
}

/** Rows of flat bytes in another order. */
function gather(bytes: Uint8Array, size: number, rows: Uint32Array): Uint8Array {
  const gathered = new Uint8Array(bytes.length)
  let at = 0
  for (const row of rows) {
    for (let from = row * size; from < (row + 1) * size; from++) gathered[at++] = bytes[from]!
  }
  return gathered
}
