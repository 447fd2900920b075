import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBtf } from '../../native/index.ts'
import { compileBpf, failure, temporaryFolder } from '../support/native.ts'

test('structs have the fields that the source gives them', () => {
  const { structs } = readBtf(compileBpf('types'))
  const everything = structs.find(({ name }) => name === 'everything')!
  expect(everything.size).toBe(80)
  const fields = Object.fromEntries(everything.fields.map(({ name, ...rest }) => [name, rest]))
  const int = { kind: 'int', signed: false }
  expect(fields).toEqual({
    counter: { ...int, offset: 0, size: 8, typeName: '__u64' },
    tiny: { ...int, offset: 8, size: 1, typeName: '__s8', signed: true },
    yes: { ...int, offset: 9, size: 1, typeName: '_Bool' },
    colour: { kind: 'enum', offset: 12, size: 4, typeName: 'colour', signed: expect.any(Boolean) as boolean },
    size: { kind: 'enum', offset: 16, size: 4, typeName: 'size_class', signed: false },
    addresses_be: {
      kind: 'array',
      offset: 20,
      size: 16,
      typeName: '__be32',
      signed: false,
      length: 4,
      elementSize: 4,
    },
    matrix: {
      kind: 'array',
      offset: 36,
      size: 6,
      typeName: '__u8',
      signed: false,
      length: 6,
      elementSize: 1,
    },
    inners: {
      kind: 'array',
      offset: 42,
      size: 8,
      typeName: 'inner',
      signed: false,
      length: 2,
      elementSize: 4,
    },
    where: { kind: 'struct', offset: 52, size: 8, typeName: 'point', signed: false },
    word: { kind: 'union', offset: 60, size: 4, typeName: 'word', signed: false },
    pointer: { kind: 'pointer', offset: 64, size: 8, typeName: '', signed: false },
    qualified: { ...int, offset: 72, size: 2, typeName: '__u16' },
    left: { ...int, offset: 76, size: 4, typeName: '__u32' },
    low: { ...int, offset: 76, size: 2, typeName: '__u16' },
    high: { ...int, offset: 78, size: 2, typeName: '__u16' },
  })
  expect(everything.fields[0]!.name).toBe('counter')
})

test('structs and enums without a name have their typedef’s', () => {
  const { structs, enums } = readBtf(compileBpf('types'))
  expect(structs.find(({ name }) => name === 'point')).toMatchObject({
    size: 8,
    fields: [
      { name: 'x', offset: 0, signed: true },
      { name: 'y', offset: 4 },
    ],
  })
  expect(enums.find(({ name }) => name === 'size_class')?.values).toMatchObject({ SMALL: 0 })
  expect(enums.find(({ name }) => name === 'colour')?.values).toEqual({ RED: 1, GREEN: 2, BLUE: -3 })
})

test('files without BTF are refused', () => {
  const path = join(temporaryFolder(), 'no.o')
  expect(failure(() => readBtf(path))).toMatchObject({ code: 'ENOENT', syscall: 'btf__parse' })
  writeFileSync(path, 'x'.repeat(100))
  expect(failure(() => readBtf(path)).message).toContain(`read the BTF of '${path}'`)
})
