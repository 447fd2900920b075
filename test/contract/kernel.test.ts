/** Folders, pins, programs and lookups of the kernel port, in memory and in the kernel. */
import { describe, expect, test } from 'vitest'
import { PROGRAMS } from '../../src/engine/execute/bootstrap.ts'
import { CONN_PARTITIONS } from '../../src/engine/execute/meta.ts'
import { SHARED_MAPS } from '../../src/engine/live/pins.ts'
import { LbError } from '../../src/engine/model/errors.ts'
import type { LoadOptions } from '../../src/engine/ports/kernel.ts'
import { kernelError, KERNELS, portFailure, smallMap } from '../support/kernel-contract.ts'
import { u32 } from '../support/native.ts'

const plain: LoadOptions = {
  reuse: {},
  maxEntries: {},
  connections: { current: 0, partitions: CONN_PARTITIONS, otherPartitions: 0 },
}

describe.each(KERNELS)('%s kernel: bpffs', (_, open) => {
  test('folders are made with those above them, and listed in order', () => {
    const { kernel, folder } = open()
    expect(kernel.fs.list(`${folder}/a`)).toBeUndefined()
    kernel.fs.makeDirectory(`${folder}/a/c/d`)
    kernel.fs.makeDirectory(`${folder}/a/b`)
    kernel.fs.makeDirectory(`${folder}/a/b`)
    expect(kernel.fs.list(`${folder}/a`)).toEqual(['b', 'c'])
    expect(kernel.fs.list(`${folder}/a/b`)).toEqual([])
    expect(kernel.fs.list(`${folder}/a/x/y`)).toBeUndefined()
  })

  test('folders are made in a bpf file system only', () => {
    const { kernel } = open()
    const error = portFailure(() => kernel.fs.makeDirectory('/tmp/lb-test-no-bpffs/x'))
    expect(error.code).toBe('host')
  })

  test('pins have names without dots, and each its own', () => {
    const { kernel, folder } = open()
    using map = smallMap(kernel, 'hash')
    map.pin(`${folder}/eth0%2e100:tcx-ingress`)
    expect(kernel.fs.list(folder)).toEqual(['eth0%2e100:tcx-ingress'])
    expect(portFailure(() => map.pin(`${folder}/eth0.100`))).toEqual({ code: 'host', errno: 'EPERM' })
    expect(portFailure(() => map.pin(`${folder}/eth0%2e100:tcx-ingress`))).toEqual(kernelError('EEXIST'))
    expect(portFailure(() => map.pin(`${folder}/none/map`))).toEqual(kernelError('ENOENT'))
  })

  test('renaming moves folders, and puts a pin in the place of another', () => {
    const { kernel, folder } = open()
    kernel.fs.makeDirectory(`${folder}/1-staged`)
    using old = smallMap(kernel, 'hash')
    using next = smallMap(kernel, 'array')
    old.pin(`${folder}/1-staged/map`)
    next.pin(`${folder}/1-staged/map-next`)
    kernel.fs.rename(`${folder}/1-staged/map-next`, `${folder}/1-staged/map`)
    kernel.fs.rename(`${folder}/1-staged`, `${folder}/1`)
    expect(kernel.fs.list(folder)).toEqual(['1'])
    expect(kernel.fs.list(`${folder}/1`)).toEqual(['map'])
    using moved = kernel.openMap(`${folder}/1/map`)
    expect(moved?.info.id).toBe(next.info.id)
    expect(portFailure(() => kernel.fs.rename(`${folder}/2`, `${folder}/3`))).toEqual(kernelError('ENOENT'))
  })

  test('a folder with pins takes the place of none that has some', () => {
    const { kernel, folder } = open()
    for (const name of ['1', '2']) {
      kernel.fs.makeDirectory(`${folder}/${name}`)
      using map = smallMap(kernel, 'hash')
      map.pin(`${folder}/${name}/map`)
    }
    expect(portFailure(() => kernel.fs.rename(`${folder}/1`, `${folder}/2`))).toEqual(
      kernelError('ENOTEMPTY'),
    )
  })

  test('removing takes a folder with all in it, and finds nothing fine too', () => {
    const { kernel, folder } = open()
    kernel.fs.makeDirectory(`${folder}/a/b`)
    using map = smallMap(kernel, 'hash')
    map.pin(`${folder}/a/b/map`)
    map.pin(`${folder}/map`)
    kernel.fs.remove(`${folder}/map`)
    kernel.fs.remove(`${folder}/a`)
    kernel.fs.remove(`${folder}/a`)
    expect(kernel.fs.list(folder)).toEqual([])
    map.update(u32(1), u32(1))
  })
})

describe.each(KERNELS)('%s kernel: the data plane', (_, open) => {
  test('its programs load, run, and live on pinned', () => {
    const { kernel, folder } = open()
    expect(kernel.openProgram(`${folder}/xdp`)).toBeUndefined()
    const ids = new Set<number>()
    {
      using plane = kernel.loadDataPlane(plain)
      for (const [pin, name] of Object.entries(PROGRAMS)) {
        using program = plane.program(name)
        program.pin(`${folder}/${pin}`)
        ids.add(program.info.id)
        expect(program.info.tag).toMatch(/^[0-9a-f]{16}$/)
      }
      expect(() => plane.program('none')).toThrow()
      expect(() => plane.map('none')).toThrow()
    }
    expect(ids.size).toBe(4)
    using program = kernel.openProgram(`${folder}/sweep_start`)
    expect(ids.has(program?.info.id ?? 0)).toBe(true)
  })

  test('the timer starts, and another version can take it over', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane(plain)
    using first = plane.program(PROGRAMS.sweep_start)
    expect(first.run()).toBe(0)
    using sweep = plane.map('sweep')
    using again = kernel.loadDataPlane({ ...plain, reuse: { sweep } })
    using second = again.program(PROGRAMS.sweep_start)
    expect(second.run()).toBe(0)
  })

  test('it uses the maps that it is given, and makes others as large as is said', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane({ ...plain, maxEntries: { backend_stats: 8192 } })
    using stats = plane.map('backend_stats')
    using ids = plane.map('backend_ids')
    expect(stats.info.maxEntries).toBe(8192)
    expect(ids.info.maxEntries).toBe(4096)
    using again = kernel.loadDataPlane({ ...plain, reuse: { backend_stats: stats } })
    using same = again.map('backend_stats')
    using other = again.map('backend_ids')
    expect(same.info.id).toBe(stats.info.id)
    expect(other.info.id).not.toBe(ids.info.id)
    expect(portFailure(() => kernel.loadDataPlane({ ...plain, reuse: { meta: stats } }))).toEqual(
      kernelError('EINVAL'),
    )
  })

  test('everything that an instance pins is in it', () => {
    const { kernel } = open()
    using plane = kernel.loadDataPlane(plain)
    expect(plane.mapNames).toEqual(expect.arrayContaining([...SHARED_MAPS, 'active', 'manifest']))
    expect(kernel.objectSha256).toHaveLength(32)
  })
})

describe.each(KERNELS)('%s kernel: the network', (_, open) => {
  test('interfaces have names and numbers; loopback is one of them', () => {
    const { kernel } = open()
    const loopback = kernel.net.interfaces().find(({ name }) => name === 'lo')
    expect(loopback).toMatchObject({ ifindex: 1, driver: '', xdpProgram: undefined })
    expect(Array.isArray(kernel.net.neighbours())).toBe(true)
  })

  test('routes are told in the order of the question', () => {
    const { kernel } = open()
    expect(kernel.net.routes([])).toEqual([])
    expect(kernel.net.routes(['240.0.0.1', '240.0.0.2'])).toHaveLength(2)
  })
})

describe.each(KERNELS)('%s kernel: the lock', (_, open) => {
  test('is held once, by its folder', () => {
    const { kernel, folder } = open()
    kernel.fs.makeDirectory(`${folder}/a`)
    expect(kernel.tryLock(`${folder}/none`)).toBeUndefined()
    const lock = kernel.tryLock(`${folder}/a`)
    expect(lock).toBeDefined()
    expect(kernel.tryLock(`${folder}/a`)).toBeUndefined()
    expect(kernel.lockHolder(`${folder}/a`)).toBeInstanceOf(Object)
    expect(kernel.lockHolder(folder)).toBeUndefined()
    using other = kernel.tryLock(folder)
    expect(other).toBeDefined()
    lock?.[Symbol.dispose]()
    expect(kernel.lockHolder(`${folder}/a`)).toBeUndefined()
    using again = kernel.tryLock(`${folder}/a`)
    expect(again).toBeDefined()
  })

  test('that is waited for is the same one', () => {
    const { kernel, folder } = open()
    {
      using lock = kernel.lock(folder)
      expect(lock).toBeDefined()
      expect(kernel.tryLock(folder)).toBeUndefined()
    }
    using again = kernel.lock(folder)
    expect(again).toBeDefined()
    expect(() => kernel.lock(`${folder}/none`)).toThrow(expect.objectContaining({ code: 'state' }))
  })

  test('is of the folder, not of its name', () => {
    const { kernel, folder } = open()
    kernel.fs.makeDirectory(`${folder}/a`)
    using lock = kernel.tryLock(`${folder}/a`)
    expect(lock).toBeDefined()
    kernel.fs.remove(`${folder}/a`)
    kernel.fs.makeDirectory(`${folder}/a`)
    using another = kernel.tryLock(`${folder}/a`)
    expect(another).toBeDefined()
  })
})

test('an error says what was called and is of our type', () => {
  const [, open] = KERNELS[1]!
  const { kernel, folder } = open()
  using map = smallMap(kernel, 'array', { maxEntries: 1 })
  const fail = (): void => map.update(u32(1), u32(1))
  expect(fail).toThrow(LbError)
  expect(fail).toThrow(/map 'small'.*E2BIG/)
  expect(() => map.pin(`${folder}/a/b`)).toThrow(/ENOENT/)
})
