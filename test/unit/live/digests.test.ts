import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile } from '../../../src/engine/abi/compile.ts'
import { TABLE_NAMES } from '../../../src/engine/abi/tables.ts'
import { digestTables, sameDigests } from '../../../src/engine/live/digests.ts'
import { tableDrift } from '../../../src/engine/live/drift.ts'
import { host } from '../../../src/kernel/host.ts'
import { deployment } from '../../support/arbitrary.ts'
import { countersOf, shuffled, tamper, tampering } from '../../support/arbitrary-tables.ts'

test('the order in which a hash gives its entries makes no difference', () => {
  fc.assert(
    fc.property(deployment, fc.infiniteStream(fc.nat()), (some, random) => {
      const tables = compile(some, countersOf(some))
      expect(digestTables(shuffled(tables, random), host)).toEqual(digestTables(tables, host))
    }),
  )
})

test('digests are the same exactly where there is no drift', () => {
  fc.assert(
    fc.property(deployment, fc.array(tampering, { maxLength: 3 }), (some, changes) => {
      const tables = compile(some, countersOf(some))
      const found = changes.reduce((before, change) => tamper(before, change)?.tables ?? before, tables)
      const same = sameDigests(digestTables(tables, host), digestTables(found, host))
      expect(same).toBe(tableDrift(some, tables, found).length === 0)
    }),
    { numRuns: 500 },
  )
})

test('a change of a table changes its digest and no other', () => {
  const some = fc.sample(deployment, { numRuns: 1, seed: 3 })[0]!
  const tables = compile(some, countersOf(some))
  const before = digestTables(tables, host)
  for (const table of TABLE_NAMES) {
    const values = tables[table].values.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
    const after = digestTables({ ...tables, [table]: { ...tables[table], values } }, host)
    const changed = TABLE_NAMES.filter((name) => before[name] !== after[name])
    expect(changed).toEqual(tables[table].count === 0 ? [] : [table])
  }
})
