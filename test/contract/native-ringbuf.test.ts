import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { BpfMap, BpfObject, RingBuffer } from '../../native/index.ts'
import { root } from '../support/lab/run.ts'
import { runChild, startChild } from '../support/native-child.ts'
import { compileBpf, failure } from '../support/native.ts'

const ETHERNET = new Uint8Array(64)
const RECORD = Uint8Array.of(7, 0, 0, 0, 80, 0, 187, 1)

/** A program each of whose runs sends one record, and the ring buffer's map. */
function openSource(): { readonly send: (records: number) => void; readonly map: BpfMap } {
  const object = BpfObject.load(compileBpf('native'))
  const program = object.program('xdp_count')
  const map = object.map('events')
  onTestFinished(() => {
    for (const resource of [object, program, map]) resource.close()
  })
  return { send: (records) => void program.testRun({ data: ETHERNET, repeat: records }), map }
}

test('records arrive on the event loop, each a copy', async () => {
  const { send, map } = openSource()
  const records: Uint8Array[] = []
  const done = new Promise<void>((resolve) => {
    const ring = new RingBuffer(map, (record) => {
      records.push(record)
      if (records.length === 3) resolve()
    })
    onTestFinished(() => ring.close())
  })
  send(2)
  expect(records).toEqual([])
  send(1)
  await done
  expect(records).toEqual([RECORD, RECORD, RECORD])
  records[0]!.fill(0)
  expect(records[1]).toEqual(RECORD)
})

test('records of more than one round all arrive, and others get their turn meanwhile', async () => {
  const { send, map } = openSource()
  let count = 0
  let countAtTurn = 0
  await new Promise<void>((resolve) => {
    const ring = new RingBuffer(map, () => {
      if (count === 0) setImmediate(() => (countAtTurn = count))
      count += 1
      if (count === 3000) resolve()
    })
    onTestFinished(() => ring.close())
    send(3000)
  })
  expect(countAtTurn).toBeGreaterThan(0)
  expect(countAtTurn).toBeLessThan(3000)
})

test('its own callback may close it; no record comes after', async () => {
  const { send, map } = openSource()
  let count = 0
  await new Promise<void>((resolve) => {
    const ring = new RingBuffer(map, () => {
      count += 1
      ring.close()
      ring.close()
      setImmediate(() => setImmediate(resolve))
    })
    send(10)
  })
  expect(count).toBe(1)
})

test('the map may be closed while it delivers', async () => {
  const { send, map } = openSource()
  await new Promise<void>((resolve) => {
    const ring = new RingBuffer(map, () => {
      ring.close()
      resolve()
    })
    map.close()
    send(1)
  })
})

test('other maps are refused', () => {
  using map = BpfMap.create({ type: 'hash', name: 'hash', keySize: 4, valueSize: 4, maxEntries: 4 })
  expect(failure(() => new RingBuffer(map, () => undefined))).toMatchObject({
    code: 'EINVAL',
    syscall: 'ring_buffer__new',
    message: `read ring buffer 'hash': Invalid argument (EINVAL)`,
  })
  map.close()
  expect(failure(() => new RingBuffer(map, () => undefined)).code).toBe('EBADF')
})

test('closed ones leave no descriptors', async () => {
  const [before, after] = await runChild(async (native) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const map = native.BpfMap.create({
      type: 'ringbuf',
      name: 'r',
      keySize: 0,
      valueSize: 0,
      maxEntries: 4096,
    })
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 1000; i++) new native.RingBuffer(map, () => undefined).close()
    await new Promise((resolve) => setImmediate(resolve))
    return [before, readdirSync('/proc/self/fd').length]
  }, undefined)
  expect(after).toBe(before)
})

test('what the callback throws is an uncaught exception, and the next record comes', async () => {
  const seen = await runChild((native, path) => {
    const object = native.BpfObject.load(path)
    const program = object.program('xdp_count')
    const seen: string[] = []
    return new Promise<string[]>((resolve) => {
      process.on('uncaughtException', (error) => {
        seen.push(error.message)
        if (seen.length < 2) return
        ring.close()
        resolve(seen)
      })
      const ring = new native.RingBuffer(object.map('events'), () => {
        throw new Error('from the callback')
      })
      program.testRun({ data: new Uint8Array(64), repeat: 2 })
    })
  }, compileBpf('native'))
  expect(seen).toEqual(['from the callback', 'from the callback'])
})

test('without anybody to catch it, the exception ends the process', async () => {
  const child = startChild((native, path) => {
    const object = native.BpfObject.load(path)
    new native.RingBuffer(object.map('events'), () => {
      throw new Error('from the callback')
    })
    object.program('xdp_count').testRun({ data: new Uint8Array(64) })
  }, compileBpf('native'))
  const [output] = await Promise.all([text(child.stderr!), once(child, 'exit')])
  expect(child.exitCode).not.toBe(0)
  expect(output).toContain('from the callback')
})

test('one keeps the process alive, unless it is unref()ed', async () => {
  await runChild((native, path) => {
    const ring = new native.RingBuffer(native.BpfObject.load(path).map('events'), () => undefined)
    ring.unref()
    ring.ref()
    ring.unref()
  }, compileBpf('native'))
  const child = startChild((native, path) => {
    const object = native.BpfObject.load(path)
    const ring = new native.RingBuffer(object.map('events'), () => ring.close())
    // Nothing but the ring buffer waits for this.
    const send = () => object.program('xdp_count').testRun({ data: new Uint8Array(64) })
    setTimeout(send, 50).unref()
  }, compileBpf('native'))
  const [status] = (await once(child, 'exit')) as [number]
  expect(status).toBe(0)
})

test('a worker thread that ends takes its ring buffers and handles with it', async () => {
  const addon = join(root, 'native/build/Release/lb_native.node')
  const [before, after] = await runChild(async (native, addon) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const map = native.BpfMap.create({
      type: 'ringbuf',
      name: 'r',
      keySize: 0,
      valueSize: 0,
      maxEntries: 4096,
    })
    const source = `
      const { parentPort, workerData } = require('node:worker_threads')
      const native = require(workerData.addon)
      native.ringOpen(native.mapFromId(workerData.id), () => undefined)
      native.mapCreate(1, 'left_open', 4, 4, 4, 0)
      parentPort.postMessage('open')`
    const runWorker = async () => {
      const worker = new Worker(source, { eval: true, workerData: { addon, id: map.info.id } })
      await new Promise((resolve) => worker.once('message', resolve))
      await worker.terminate()
    }
    // The first one also opens what Node.js keeps for its threads.
    await runWorker()
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 5; i++) await runWorker()
    return [before, readdirSync('/proc/self/fd').length]
  }, addon)
  expect(after).toBe(before)
})
