/** Tables of random deployments, and ways to change them behind lb's back. */
import fc from 'fast-check'
import { numberDeployment } from '../../src/engine/abi/compile.ts'
import type { CounterRows } from '../../src/engine/abi/compile.ts'
import { TABLE_NAMES, TABLES } from '../../src/engine/abi/tables.ts'
import type { TableImage, TableImages, TableName } from '../../src/engine/abi/tables.ts'
import type { Deployment } from '../../src/engine/model/snapshot.ts'

/** A row of counters for each backend, in no order. */
export function countersOf(deployment: Deployment): CounterRows {
  const { backends } = numberDeployment(deployment)
  return backends.map((_, i) => (i * 7 + 3) % 1009)
}

export function cloneTables(tables: TableImages): TableImages {
  return structuredClone(tables)
}

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export function entriesOfImage(name: TableName, { count, keys, values }: TableImage): Entry[] {
  const { keySize, valueSize } = TABLES[name]
  return Array.from({ length: count }, (_, i) => ({
    key: keys.slice(i * keySize, (i + 1) * keySize),
    value: values.slice(i * valueSize, (i + 1) * valueSize),
  }))
}

export function imageOf(entries: readonly Entry[]): TableImage {
  const join = (parts: readonly Uint8Array[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => [...part]))
  return {
    count: entries.length,
    keys: join(entries.map(({ key }) => key)),
    values: join(entries.map(({ value }) => value)),
  }
}

/** The same entries; those of hashes and tries in another order. */
export function shuffled(tables: TableImages, random: Iterator<number>): TableImages {
  const next = (): number => (random.next().value as number | undefined) ?? 0
  const shuffle = (name: TableName): TableImage => {
    const rest = entriesOfImage(name, tables[name])
    return imageOf(Array.from({ length: rest.length }, () => rest.splice(next() % rest.length, 1)[0]!))
  }
  return Object.fromEntries(
    TABLE_NAMES.map((name) => [name, TABLES[name].kind === 'array' ? tables[name] : shuffle(name)]),
  ) as unknown as TableImages
}

/** A change of one row. `row` and `byte` are taken modulo what there is. */
export interface Tampering {
  readonly table: TableName
  readonly action: 'change' | 'remove' | 'add'
  readonly row: number
  readonly byte: number
  /** Never 0: something changes. */
  readonly flip: number
}

export const tampering: fc.Arbitrary<Tampering> = fc.record({
  table: fc.constantFrom(...TABLE_NAMES),
  action: fc.constantFrom('change', 'remove', 'add'),
  row: fc.nat(),
  byte: fc.nat(),
  flip: fc.integer({ min: 1, max: 255 }),
})

/** The tables with that done to them, and the key that it was done to; `undefined` where it cannot be done. */
export function tamper(
  tables: TableImages,
  { table, action, row, byte, flip }: Tampering,
): { tables: TableImages; key: Uint8Array } | undefined {
  const entries = entriesOfImage(table, tables[table])
  const isArray = TABLES[table].kind === 'array'
  const chosen = entries[row % Math.max(1, entries.length)]
  const replace = (changed: readonly Entry[], key: Uint8Array) => ({
    tables: { ...tables, [table]: imageOf(changed) },
    key,
  })
  if (action === 'add') {
    if (isArray) return undefined
    const key = new Uint8Array(TABLES[table].keySize).fill(flip)
    if (TABLES[table].kind === 'lpm') key.set([160, 0, 0, 0])
    return replace([...entries, { key, value: new Uint8Array(TABLES[table].valueSize).fill(flip) }], key)
  }
  if (!chosen || (action === 'remove' && isArray)) return undefined
  if (action === 'remove')
    return replace(
      entries.filter((entry) => entry !== chosen),
      chosen.key,
    )
  chosen.value[byte % chosen.value.length]! ^= flip
  return replace(entries, chosen.key)
}
