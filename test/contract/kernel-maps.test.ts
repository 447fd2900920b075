/** Maps of the kernel port, in memory and in the kernel. */
import { describe, expect, test } from 'vitest'
import { TABLES } from '../../src/engine/abi/tables.ts'
import { OBJECT_MAPS } from '../support/fake-kernel-plane.ts'
import { entriesOf, kernelError, KERNELS, portFailure, smallMap } from '../support/kernel-contract.ts'
import { toU32, u32 } from '../support/native.ts'

const lpmKey = (bits: number, ...bytes: number[]): Uint8Array => Uint8Array.of(...u32(bits), ...bytes)

describe.each(KERNELS)('%s kernel', (_, open) => {
  test('an array has all its entries from the start, and no others', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'array', { maxEntries: 3 })
    expect(map.info).toMatchObject({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 3 })
    expect(map.lookup(u32(2))).toEqual(u32(0))
    expect(map.lookup(u32(3))).toBeUndefined()
    map.update(u32(1), u32(7))
    expect(toU32(map.readAll().keys)).toEqual([0, 1, 2])
    expect(toU32(map.readAll().values)).toEqual([0, 7, 0])
    expect(portFailure(() => map.update(u32(3), u32(1)))).toEqual(kernelError('E2BIG'))
    expect(portFailure(() => map.delete(u32(1)))).toEqual(kernelError('EINVAL'))
  })

  test('a hash holds, replaces and forgets, up to its size', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'hash', { maxEntries: 2 })
    expect(map.lookup(u32(1))).toBeUndefined()
    map.update(u32(1), u32(10))
    map.update(u32(2), u32(20))
    map.update(u32(2), u32(21))
    expect(portFailure(() => map.update(u32(3), u32(30)))).toEqual(kernelError('E2BIG'))
    expect(map.lookup(u32(2))).toEqual(u32(21))
    expect(map.delete(u32(1))).toBe(true)
    expect(map.delete(u32(1))).toBe(false)
    expect(map.readAll()).toEqual({ count: 1, keys: u32(2), values: u32(21) })
  })

  test('batches take many entries, or none', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'hash', { maxEntries: 10 })
    map.updateBatch(u32(), u32())
    expect(map.readAll()).toEqual({ count: 0, keys: u32(), values: u32() })
    map.updateBatch(u32(1, 2, 3), u32(10, 20, 30))
    expect(map.readAll().count).toBe(3)
    expect(map.deleteBatch(u32(3, 9, 1))).toBe(2)
    expect(map.readAll()).toEqual({ count: 1, keys: u32(2), values: u32(20) })
    expect(portFailure(() => map.updateBatch(u32(...Array(11).keys()), u32(...Array(11).keys())))).toEqual(
      kernelError('E2BIG'),
    )
  })

  test('keys and values of another size never reach it', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'hash')
    expect(() => map.lookup(new Uint8Array(3))).toThrow(RangeError)
    expect(() => map.update(u32(1), new Uint8Array(5))).toThrow(RangeError)
    expect(() => map.updateBatch(u32(1, 2), u32(1))).toThrow(RangeError)
  })

  test('a trie finds the longest prefix and takes the same prefix as the same key', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'lpm_trie', { keySize: 8, maxEntries: 2, flags: ['no-prealloc'] })
    map.update(lpmKey(8, 10, 0, 0, 0), u32(8))
    map.update(lpmKey(16, 10, 1, 0, 0), u32(15))
    map.update(lpmKey(16, 10, 1, 99, 99), u32(16))
    expect(map.lookup(lpmKey(32, 10, 1, 2, 3))).toEqual(u32(16))
    expect(map.lookup(lpmKey(32, 10, 2, 2, 3))).toEqual(u32(8))
    expect(map.lookup(lpmKey(12, 10, 1, 2, 3))).toEqual(u32(8))
    expect(map.lookup(lpmKey(32, 11, 0, 0, 0))).toBeUndefined()
    // The bits beyond the prefix stay as they were written last.
    expect(entriesOf(map)).toEqual(['080000000a000000=08000000', '100000000a016363=10000000'])
    expect(portFailure(() => map.update(lpmKey(24, 10, 1, 1, 0), u32(24)))).toEqual(kernelError('ENOSPC'))
    expect(portFailure(() => map.update(lpmKey(33, 10, 1, 1, 0), u32(24)))).toEqual(kernelError('EINVAL'))
    expect(map.delete(lpmKey(24, 10, 1, 0, 0))).toBe(false)
    expect(map.delete(lpmKey(16, 10, 1, 0, 0))).toBe(true)
  })

  test('a trie needs the flag without which the kernel makes none', () => {
    const { kernel } = open()
    expect(portFailure(() => smallMap(kernel, 'lpm_trie', { keySize: 8 }))).toEqual(kernelError('EINVAL'))
    expect(portFailure(() => smallMap(kernel, 'hash', { maxEntries: 0 }))).toEqual(kernelError('EINVAL'))
  })

  test('per-CPU values have a place for each CPU, padded to eight bytes', () => {
    const { kernel } = open()
    using map = smallMap(kernel, 'percpu_array', { valueSize: 12, maxEntries: 2 })
    const stride = 16 * kernel.possibleCpus
    const value = new Uint8Array(stride)
    for (let cpu = 0; cpu < kernel.possibleCpus; cpu++) value.fill(cpu + 1, 16 * cpu, 16 * cpu + 12)
    map.update(u32(1), value)
    expect(map.info.valueSize).toBe(12)
    expect(map.readAll().values).toEqual(Uint8Array.of(...new Uint8Array(stride), ...value))
  })

  test('a frozen map can be read and pinned, but not changed', () => {
    const { kernel, folder } = open()
    using map = smallMap(kernel, 'array')
    map.update(u32(0), u32(5))
    map.freeze()
    const refused = { code: 'host', errno: 'EPERM' }
    expect(portFailure(() => map.update(u32(0), u32(6)))).toEqual(refused)
    expect(portFailure(() => map.updateBatch(u32(0), u32(6)))).toEqual(refused)
    expect(portFailure(() => map.freeze())).toEqual(refused)
    map.pin(`${folder}/frozen`)
    using again = kernel.openMap(`${folder}/frozen`)
    expect(again?.lookup(u32(0))).toEqual(u32(5))
  })

  test('a map lives on while it is pinned', () => {
    const { kernel, folder } = open()
    expect(kernel.openMap(`${folder}/one`)).toBeUndefined()
    {
      using map = smallMap(kernel, 'hash')
      map.update(u32(1), u32(10))
      map.pin(`${folder}/one`)
      map.pin(`${folder}/two`)
    }
    using one = kernel.openMap(`${folder}/one`)
    using two = kernel.openMap(`${folder}/two`)
    expect(one?.info.id).toBe(two?.info.id)
    one?.update(u32(1), u32(11))
    expect(two?.lookup(u32(1))).toEqual(u32(11))
    expect(() => one?.update(u32(1), new Uint8Array(3))).toThrow(RangeError)
  })

  test('a descriptor that was closed is of no use', () => {
    const { kernel } = open()
    const map = smallMap(kernel, 'hash')
    map[Symbol.dispose]()
    expect(portFailure(() => map.lookup(u32(1)))).toEqual(kernelError('EBADF'))
    map[Symbol.dispose]()
  })

  test('the maps of the object are what the fake takes them for', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane({
      reuse: {},
      maxEntries: {},
      connections: { current: 0, partitions: 8, otherPartitions: 0 },
    })
    for (const [name, { type, keySize, valueSize, maxEntries }] of Object.entries(OBJECT_MAPS)) {
      expect(plane.mapNames).toContain(name)
      using map = plane.map(name)
      expect(map.info, name).toMatchObject({ type, keySize, valueSize, maxEntries })
    }
  })

  test('a slot takes a table like its template, of any length, and nothing else', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane({
      reuse: {},
      maxEntries: {},
      connections: { current: 0, partitions: 8, otherPartitions: 0 },
    })
    for (const [name, { kind, keySize, valueSize }] of Object.entries(TABLES)) {
      using outer = plane.map(name)
      expect(outer.lookup(u32(3))).toBeUndefined()
      const type = kind === 'lpm' ? 'lpm_trie' : kind
      const flags = { lpm: ['no-prealloc'], array: ['inner-map'], hash: [] } as const
      const spec = { keySize, valueSize, maxEntries: 57, flags: flags[kind] }
      using inner = smallMap(kernel, type, spec)
      kernel.writeInners([{ outer, key: u32(3), inner }])
      expect(toU32(outer.lookup(u32(3))!)).toEqual([inner.info.id])
      expect(toU32(outer.readAll().keys)).toEqual([3])
      using wide = smallMap(kernel, type, { ...spec, valueSize: valueSize + 4 })
      expect(
        portFailure(() => kernel.writeInners([{ outer, key: u32(3), inner: wide }])),
        name,
      ).toEqual(kernelError('EINVAL'))
      expect(
        portFailure(() => kernel.writeInners([{ outer, key: u32(16), inner }])),
        name,
      ).toEqual(kernelError('E2BIG'))
      expect(outer.delete(u32(3))).toBe(true)
      expect(outer.delete(u32(3))).toBe(false)
      expect(outer.readAll().count).toBe(0)
    }
  })

  test('an array without the flag is no table', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane({
      reuse: {},
      maxEntries: {},
      connections: { current: 0, partitions: 8, otherPartitions: 0 },
    })
    using outer = plane.map('selection')
    using inner = smallMap(kernel, 'array', { maxEntries: 1 })
    expect(portFailure(() => kernel.writeInners([{ outer, key: u32(0), inner }]))).toEqual(
      kernelError('EINVAL'),
    )
  })
})
