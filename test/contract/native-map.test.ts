import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  BpfLink,
  BpfMap,
  writeInners,
  BpfProgram,
  MAP_FLAGS,
  UPDATE,
  possibleCpus,
} from '../../native/index.ts'
import { failure, pinFolder, toU32, u32, u64 } from '../support/native.ts'

const small = { name: 'test', keySize: 4, valueSize: 8, maxEntries: 4 } as const

describe('one map', () => {
  test('tells what it is', () => {
    using map = BpfMap.create({ ...small, type: 'hash', flags: MAP_FLAGS.NO_PREALLOC })
    const { id, ...rest } = map.info
    expect(id).toBeGreaterThan(0)
    expect(rest).toEqual({
      type: 'hash',
      name: 'test',
      keySize: 4,
      valueSize: 8,
      maxEntries: 4,
      flags: MAP_FLAGS.NO_PREALLOC,
    })
    expect(map.fd).toBeGreaterThan(2)
    expect(map.valueStride).toBe(8)
  })

  test('keeps 15 characters of its name', () => {
    using map = BpfMap.create({ ...small, type: 'array', name: 'a_name_of_more_than_15_characters' })
    expect(map.info.name).toBe('a_name_of_more_')
  })

  test('holds, replaces and forgets entries', () => {
    using map = BpfMap.create({ ...small, type: 'hash' })
    expect(map.lookup(u32(1))).toBeUndefined()
    map.update(u32(1), u64(10))
    expect(map.lookup(u32(1))).toEqual(u64(10))
    map.update(u32(1), u64(11), UPDATE.EXIST)
    expect(map.lookup(u32(1))).toEqual(u64(11))
    expect(failure(() => map.update(u32(1), u64(12), UPDATE.NOEXIST)).code).toBe('EEXIST')
    expect(failure(() => map.update(u32(2), u64(12), UPDATE.EXIST)).code).toBe('ENOENT')
    expect(map.delete(u32(1))).toBe(true)
    expect(map.delete(u32(1))).toBe(false)
  })

  test('takes views into larger buffers', () => {
    using map = BpfMap.create({ ...small, type: 'hash' })
    map.update(u32(7, 1, 7).subarray(4, 8), Buffer.from(u64(10)))
    expect(map.lookup(u32(1))).toEqual(u64(10))
  })

  test('is walked from key to key', () => {
    using map = BpfMap.create({ ...small, type: 'hash' })
    expect(map.nextKey()).toBeUndefined()
    map.update(u32(1), u64(1))
    map.update(u32(2), u64(2))
    const first = map.nextKey()!
    const second = map.nextKey(first)!
    expect([...toU32(first), ...toU32(second)].sort()).toEqual([1, 2])
    expect(map.nextKey(second)).toBeUndefined()
  })

  test('has a value for each possible CPU where it is per-CPU', () => {
    using map = BpfMap.create({ ...small, type: 'percpu_hash', valueSize: 12 })
    expect(map.valueStride).toBe(16 * possibleCpus())
    const value = new Uint8Array(map.valueStride)
    for (let cpu = 0; cpu < possibleCpus(); cpu++) value.fill(cpu + 1, cpu * 16, cpu * 16 + 12)
    map.update(u32(1), value)
    expect(map.lookup(u32(1))).toEqual(value)
  })

  test('finds the longest prefix', () => {
    using map = BpfMap.create({ ...small, type: 'lpm_trie', keySize: 8, flags: MAP_FLAGS.NO_PREALLOC })
    map.update(Uint8Array.of(8, 0, 0, 0, 10, 0, 0, 0), u64(8))
    map.update(Uint8Array.of(16, 0, 0, 0, 10, 1, 0, 0), u64(16))
    expect(map.lookup(Uint8Array.of(32, 0, 0, 0, 10, 1, 2, 3))).toEqual(u64(16))
    expect(map.lookup(Uint8Array.of(32, 0, 0, 0, 10, 2, 2, 3))).toEqual(u64(8))
    expect(map.lookup(Uint8Array.of(32, 0, 0, 0, 11, 2, 2, 3))).toBeUndefined()
  })

  test('has no keys where it is a queue', () => {
    using map = BpfMap.create({ ...small, type: 'queue', keySize: 0 })
    map.update(new Uint8Array(0), u64(1))
    map.update(new Uint8Array(0), u64(2))
    expect(map.lookup(new Uint8Array(0))).toEqual(u64(1))
  })

  test('takes no changes once frozen', () => {
    using map = BpfMap.create({ ...small, type: 'array' })
    map.update(u32(0), u64(5))
    map.freeze()
    expect(failure(() => map.update(u32(0), u64(6)))).toMatchObject({
      code: 'EPERM',
      message: `update an entry of map 'test': Operation not permitted (EPERM)`,
    })
    expect(map.lookup(u32(0))).toEqual(u64(5))
    expect(failure(() => map.freeze())).toMatchObject({ code: 'EPERM', syscall: 'bpf(BPF_MAP_FREEZE)' })
  })
})

describe('maps of maps', () => {
  const inner = () => BpfMap.create({ ...small, type: 'hash', name: 'inner' })

  test.each(['array_of_maps', 'hash_of_maps'] as const)('%s gives the ids of what is in it', (type) => {
    using template = inner()
    using first = inner()
    using outer = BpfMap.create({ ...small, type, valueSize: 4, inner: template })
    expect(outer.lookup(u32(2))).toBeUndefined()
    writeInners([{ outer, key: u32(2), inner: first }])
    expect(toU32(outer.lookup(u32(2))!)).toEqual([first.info.id])
    const all = outer.readAll()
    expect([toU32(all.keys), toU32(all.values)]).toEqual([[2], [first.info.id]])
    using again = BpfMap.fromId(first.info.id)
    expect(again.info).toEqual(first.info)
    expect(outer.delete(u32(2))).toBe(true)
    expect(outer.readAll().count).toBe(0)
  })

  test('an array among arrays may be of another size', () => {
    const array = { ...small, type: 'array', flags: MAP_FLAGS.INNER_MAP } as const
    using template = BpfMap.create(array)
    using larger = BpfMap.create({ ...array, maxEntries: 100 })
    using outer = BpfMap.create({ ...small, type: 'array_of_maps', valueSize: 4, inner: template })
    writeInners([{ outer, key: u32(0), inner: larger }])
    expect(toU32(outer.lookup(u32(0))!)).toEqual([larger.info.id])
  })

  test('refuse a map of another shape, and other maps take none', () => {
    using template = inner()
    using other = BpfMap.create({ ...small, type: 'hash', name: 'other', valueSize: 4 })
    using outer = BpfMap.create({ ...small, type: 'array_of_maps', valueSize: 4, inner: template })
    expect(failure(() => writeInners([{ outer, key: u32(0), inner: other }]))).toMatchObject({
      code: 'EINVAL',
      message: `put map 'other' into map 'test': Invalid argument (EINVAL)`,
    })
    expect(() => writeInners([{ outer: template, key: u32(0), inner: other }])).toThrow(TypeError)
  })
})

describe('pins', () => {
  test('open the same map again', () => {
    const path = join(pinFolder(), 'map')
    using map = BpfMap.create({ ...small, type: 'hash' })
    map.update(u32(1), u64(10))
    map.pin(path)
    using again = BpfMap.openPinned(path)
    expect(again.info).toEqual(map.info)
    expect(again.lookup(u32(1))).toEqual(u64(10))
    expect(failure(() => map.pin(path))).toMatchObject({
      code: 'EEXIST',
      syscall: 'bpf(BPF_OBJ_PIN)',
      message: `pin map 'test' at '${path}': File exists (EEXIST)`,
    })
  })

  test('keep a map that nobody has open', () => {
    const path = join(pinFolder(), 'map')
    const map = BpfMap.create({ ...small, type: 'hash' })
    map.pin(path)
    const { id } = map.info
    map.close()
    expect(existsSync(path)).toBe(true)
    using again = BpfMap.openPinned(path)
    expect(again.info.id).toBe(id)
  })

  test('are refused where they are missing or hold something else', () => {
    const path = join(pinFolder(), 'map')
    expect(failure(() => BpfMap.openPinned(path))).toMatchObject({
      code: 'ENOENT',
      syscall: 'bpf(BPF_OBJ_GET)',
      message: `open map '${path}': No such file or directory (ENOENT)`,
    })
    using map = BpfMap.create({ ...small, type: 'hash' })
    map.pin(path)
    expect(failure(() => BpfProgram.openPinned(path)).code).toBe('EINVAL')
    expect(failure(() => BpfLink.openPinned(path)).code).toBe('EINVAL')
    expect(failure(() => map.pin('/tmp/not-in-bpffs')).code).toBe('EPERM')
  })
})

describe('failures', () => {
  test('say what was attempted', () => {
    const spec = { type: 'hash', name: 'listeners', keySize: 24, valueSize: 16, maxEntries: 0 } as const
    expect(failure(() => BpfMap.create(spec))).toMatchObject({
      code: 'EINVAL',
      errno: 22,
      syscall: 'bpf(BPF_MAP_CREATE)',
      message: `create hash map 'listeners' (key 24, value 16, 0 entries): Invalid argument (EINVAL)`,
    })
    expect(failure(() => BpfMap.fromId(4294967295))).toMatchObject({
      code: 'ENOENT',
      syscall: 'bpf(BPF_MAP_GET_FD_BY_ID)',
    })
  })

  test('name the map, also a full one', () => {
    using map = BpfMap.create({ ...small, type: 'hash', name: 'full' })
    for (let key = 0; key < 4; key++) map.update(u32(key), u64(0))
    expect(failure(() => map.update(u32(9), u64(0)))).toMatchObject({
      code: 'E2BIG',
      syscall: 'bpf(BPF_MAP_UPDATE_ELEM)',
    })
    using array = BpfMap.create({ ...small, type: 'array', name: 'array' })
    expect(failure(() => array.delete(u32(0)))).toMatchObject({
      code: 'EINVAL',
      message: `delete an entry of map 'array': Invalid argument (EINVAL)`,
    })
    using ring = BpfMap.create({ type: 'ringbuf', name: 'ring', keySize: 0, valueSize: 0, maxEntries: 4096 })
    expect(failure(() => ring.nextKey()).code).toBe('ENOTSUPP')
    expect(failure(() => ring.readAll())).toMatchObject({
      code: 'ENOTSUPP',
      errno: 524,
      message: `read map 'ring': Operation not supported by the kernel (ENOTSUPP)`,
    })
  })

  test('tell of use after closing; closing twice is fine', () => {
    const map = BpfMap.create({ ...small, type: 'hash', name: 'gone' })
    map.close()
    map.close()
    const message = `use map 'gone' after it was closed: Bad file descriptor (EBADF)`
    expect(failure(() => map.lookup(u32(0)))).toMatchObject({ code: 'EBADF', message })
    const uses = [
      () => map.fd,
      () => map.info,
      () => map.valueStride,
      () => map.update(u32(0), u64(0)),
      () => map.delete(u32(0)),
      () => map.nextKey(),
      () => map.readAll(),
      () => map.updateBatch(u32(), u64()),
      () => map.deleteBatch(u32()),
      () => map.freeze(),
      () => map.pin('/sys/fs/bpf/lb-test-never'),
    ]
    for (const use of uses) expect(failure(use).code).toBe('EBADF')
  })
})
