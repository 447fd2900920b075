/**
 * Opening and closing leaves no descriptor behind. In processes of their own, where nothing else opens
 * any, and where the garbage collector can be called.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runChild, vethPair } from '../support/native-child.ts'
import { compileBpf, pinFolder } from '../support/native.ts'

test('10,000 maps, failures among them', async () => {
  const [before, after] = await runChild((native) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const spec = { type: 'hash', name: 'm', keySize: 4, valueSize: 4, maxEntries: 1, flags: 1 } as const
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 10_000; i++) {
      native.BpfMap.create(spec).close()
      try {
        native.BpfMap.create({ ...spec, maxEntries: 0 })
      } catch {
        continue
      }
    }
    return [before, readdirSync('/proc/self/fd').length]
  }, undefined)
  expect(after).toBe(before)
})

test('pins opened, also as what they are not; maps and programs by id', async () => {
  const args = {
    path: compileBpf('native'),
    map: join(pinFolder(), 'map'),
    program: join(pinFolder(), 'program'),
  }
  const [before, after] = await runChild((native, { path, map, program }) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const object = native.BpfObject.load(path)
    const seen = object.map('seen')
    const drop = object.program('xdp_drop')
    seen.pin(map)
    drop.pin(program)
    const ids = [seen.info.id, drop.info.id] as const
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 3000; i++) {
      native.BpfMap.openPinned(map).close()
      native.BpfProgram.openPinned(program).close()
      native.BpfMap.fromId(ids[0]).close()
      native.BpfProgram.fromId(ids[1]).close()
      object.map('seen').close()
      object.program('xdp_drop').close()
      try {
        native.BpfMap.openPinned(program)
      } catch {
        continue
      }
    }
    return [before, readdirSync('/proc/self/fd').length]
  }, args)
  expect(after).toBe(before)
})

test('objects, loaded and refused', async () => {
  const args = { good: compileBpf('native'), refused: compileBpf('refused') }
  const [before, after] = await runChild((native, { good, refused }) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    native.BpfObject.load(good, { programs: ['xdp_drop'] }).close()
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 1000; i++) {
      native.BpfObject.load(good, { programs: ['xdp_drop'] }).close()
      for (const options of [{}, { programs: ['nothing'] }, { constants: { nothing: new Uint8Array(4) } }]) {
        try {
          native.BpfObject.load(refused, options)
        } catch {
          continue
        }
      }
    }
    return [before, readdirSync('/proc/self/fd').length]
  }, args)
  expect(after).toBe(before)
})

test('links, filters, locks, routes and interfaces', async () => {
  const { near } = await vethPair()
  const args = { path: compileBpf('native'), folder: pinFolder() }
  const [before, after] = await runChild(
    (native, { path, folder }) => {
      const { readdirSync } = process.getBuiltinModule('node:fs')
      const object = native.BpfObject.load(path)
      const tc = object.program('tc_pass')
      const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
      const filter = { ifindex, direction: 'ingress', handle: 1, priority: 1 } as const
      const pin = `${folder}/link`
      const link = native.BpfLink.attachTcx(tc, ifindex, 'egress')
      link.pin(pin)
      const before = readdirSync('/proc/self/fd').length
      for (let i = 0; i < 3000; i++) {
        native.BpfLink.openPinned(pin).close()
        const lock = native.DirectoryLock.tryAcquire(folder)!
        native.DirectoryLock.tryAcquire(folder)
        lock.close()
        native.routesGet(['10.0.0.1', '::2'])
      }
      // The kernel takes tens of milliseconds for each of these.
      for (let i = 0; i < 100; i++) {
        native.BpfLink.attachTcx(tc, ifindex, 'ingress').close()
        native.clsactAttach(tc, filter)
        native.clsactQuery(filter)
        native.clsactDetach(filter)
        native.interfaces()
        native.neighbours()
      }
      const after = readdirSync('/proc/self/fd').length
      link.close()
      return [before, after]
    },
    args,
    near,
  )
  expect(after).toBe(before)
})

test('what was never closed is closed by the garbage collector', async () => {
  const [before, open, after] = await runChild(async (native) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const { setFlagsFromString } = process.getBuiltinModule('node:v8')
    const { runInNewContext } = process.getBuiltinModule('node:vm')
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const spec = { type: 'hash', name: 'm', keySize: 4, valueSize: 4, maxEntries: 1, flags: 1 } as const
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 100; i++) native.BpfMap.create(spec)
    const open = readdirSync('/proc/self/fd').length
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    return [before, open, readdirSync('/proc/self/fd').length]
  }, undefined)
  expect(open).toBeGreaterThan(before + 50)
  // The last one may still be in a register.
  expect(after).toBeLessThanOrEqual(before + 1)
})

test('memory stays flat while maps are read and records made', async () => {
  const [before, after] = await runChild(async (native) => {
    const map = native.BpfMap.create({
      type: 'hash',
      name: 'm',
      keySize: 4,
      valueSize: 64,
      maxEntries: 20_000,
    })
    const keys = new Uint8Array(Uint32Array.from({ length: 20_000 }, (_, i) => i).buffer)
    map.updateBatch(keys, new Uint8Array(20_000 * 64))
    const read = async (times: number) => {
      for (let i = 0; i < times; i++) {
        map.readAll()
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      return process.memoryUsage().rss
    }
    return [await read(200), await read(1000)]
  }, undefined)
  // A thousand readings are 1.3 GB.
  expect(after - before).toBeLessThan(200_000_000)
})
