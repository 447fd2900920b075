import { describe, expect, test } from 'vitest'
import { structs } from '../../../src/engine/abi/layout.generated.ts'
import {
  attachName,
  attachNumber,
  protocolName,
  protocolNumber,
  roleFlags,
  rolesOf,
} from '../../../src/engine/abi/names.ts'
import { makeRows, rowsOver, structSize } from '../../../src/engine/abi/struct.ts'
import { arrayImage, bytesKey, sameImage, TABLES } from '../../../src/engine/abi/tables.ts'
import type { TableImage } from '../../../src/engine/abi/tables.ts'

describe('rows of structs', () => {
  test('hold numbers in host order, and those of the network in its own', () => {
    const rows = makeRows('lb_listener_key', 2)
    rows.set(1, 'ifindex', 0x01020304)
    rows.set(1, 'port_be', 0x1f90)
    rows.set(1, 'proto', 17)
    expect([...rows.bytes.subarray(24 + 16)]).toEqual([4, 3, 2, 1, 0x1f, 0x90, 17, 0])
    expect(rows.get(1, 'ifindex')).toBe(0x01020304)
    expect(rows.get(1, 'port_be')).toBe(8080)
    expect(rows.get(0, 'port_be')).toBe(0)
  })

  test('hold numbers of every width', () => {
    const stats = makeRows('lb_backend_stats', 1)
    stats.set(0, 'bytes_fwd', 2 ** 40 + 1)
    expect(stats.get(0, 'bytes_fwd')).toBe(2 ** 40 + 1)
    const member = makeRows('lb_member', 1)
    member.set(0, 'weight', 100)
    expect(member.get(0, 'weight')).toBe(100)
  })

  test('hold text up to their room, and forget what was there', () => {
    const rows = makeRows('lb_interface', 1)
    rows.setText(0, 'name', 'a-long-name-123')
    expect(rows.text(0, 'name')).toBe('a-long-name-123')
    rows.setText(0, 'name', 'ü')
    expect(rows.text(0, 'name')).toBe('ü')
    expect([...rows.slice(0, 'name').subarray(2)]).toEqual(new Array(14).fill(0))
    expect(() => rows.setText(0, 'name', '1234567890123456')).toThrow(RangeError)
    expect(() => rows.setText(0, 'name', 'üüüüüüüü')).toThrow(RangeError)
  })

  test('give text of any bytes back as far as it goes', () => {
    const rows = makeRows('lb_interface', 1)
    rows.slice(0, 'name').fill(0x41)
    expect(rows.text(0, 'name')).toBe('A'.repeat(16))
    rows.slice(0, 'name').set([0xff, 0x41, 0])
    expect(rows.text(0, 'name')).toBe('\ufffdA')
    rows.setText(0, 'name', '\ufeffbom')
    expect(rows.text(0, 'name')).toBe('\ufeffbom')
  })

  test('lie over a part of a larger buffer', () => {
    const buffer = new Uint8Array(3 + 2 * structSize('lb_route'))
    const rows = rowsOver('lb_route', buffer.subarray(3))
    rows.set(1, 'group', 7)
    expect(buffer[3 + structSize('lb_route')]).toBe(7)
    expect(rows.count).toBe(2)
  })

  test('are whole, and have the fields that they have', () => {
    expect(() => rowsOver('lb_route', new Uint8Array(9))).toThrow(RangeError)
    expect(() => makeRows('lb_route', 1).get(0, 'none' as 'group')).toThrow(/no field none/)
    expect(() => makeRows('lb_route', 1).get(1, 'group')).toThrow(RangeError)
  })

  test('fields lie within their struct and do not overlap', () => {
    for (const [name, { size, fields }] of Object.entries(structs)) {
      let end = 0
      for (const field of Object.values<{ offset: number; size: number }>(fields)) {
        expect(field.offset, name).toBeGreaterThanOrEqual(end)
        end = field.offset + field.size
      }
      expect(end, name).toBeLessThanOrEqual(size)
    }
  })
})

describe('names and numbers', () => {
  test('are each other’s inverse', () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      expect(protocolName(protocolNumber(protocol))).toBe(protocol)
    }
    for (const attach of ['auto', 'xdp', 'xdp-generic', 'tcx', 'none'] as const) {
      expect(attachName(attachNumber(attach))).toBe(attach)
    }
    expect(protocolNumber('tcp')).toBe(6)
    expect(protocolName(1)).toBeUndefined()
    expect(attachName(99)).toBeUndefined()
    expect(rolesOf(roleFlags(['configured', 'listen']))).toEqual(['listen', 'configured'])
    expect(rolesOf(0xf8)).toEqual([])
  })
})

describe('images of tables', () => {
  const hash = (...entries: [number, number][]): TableImage => ({
    count: entries.length,
    keys: new Uint8Array(Uint32Array.from(entries, ([key]) => key).buffer),
    values: new Uint8Array(Uint32Array.from(entries, ([, value]) => value).buffer),
  })
  const spec = { kind: 'hash', keySize: 4, valueSize: 4 } as const

  test('of hashes are the same in any order', () => {
    expect(sameImage(spec, hash([1, 10], [2, 20]), hash([2, 20], [1, 10]))).toBe(true)
    expect(sameImage(spec, hash([1, 10], [2, 20]), hash([1, 10], [2, 21]))).toBe(false)
    expect(sameImage(spec, hash([1, 10], [2, 20]), hash([1, 10], [3, 20]))).toBe(false)
    expect(sameImage(spec, hash([1, 10]), hash([1, 10], [2, 20]))).toBe(false)
  })

  test('of arrays are never empty, because the kernel has none', () => {
    expect(arrayImage(new Uint8Array(), 4)).toEqual({
      count: 1,
      keys: new Uint8Array(4),
      values: new Uint8Array(4),
    })
    const two = arrayImage(new Uint8Array(Uint32Array.of(5, 6).buffer), 4)
    expect(two.count).toBe(2)
    expect(sameImage(TABLES.selection, two, { ...two, values: two.values.slice() })).toBe(true)
  })

  test('keys of any bytes tell themselves apart', () => {
    expect(bytesKey(Uint8Array.of(0, 255))).not.toBe(bytesKey(Uint8Array.of(255, 0)))
  })
})
