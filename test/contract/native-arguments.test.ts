import { describe, expect, test } from 'vitest'
import {
  BpfLink,
  BpfMap,
  BpfObject,
  BpfProgram,
  RingBuffer,
  clsactQuery,
  isBpffs,
  readBtf,
  routesGet,
} from '../../native/index.ts'
import { compileBpf, u32, u64 } from '../support/native.ts'

/** Callers in JavaScript are not held to the types. */
const any = (value: unknown): never => value as never
const notBytes = [
  undefined,
  null,
  1,
  'text',
  {},
  [1, 2, 3, 4],
  new Uint32Array(1),
  new DataView(new ArrayBuffer(4)),
]

function detached(size: number): Uint8Array {
  const buffer = new Uint8Array(size)
  structuredClone(buffer, { transfer: [buffer.buffer] })
  return buffer
}

/** Larger when made than when used. Node.js has these buffers; the library of ES2023 does not. */
function shrunk(size: number): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(size: number): void }
  const buffer = new Resizable(size, { maxByteLength: size })
  const view = new Uint8Array(buffer)
  buffer.resize(0)
  return view
}

function createHash(): BpfMap {
  return BpfMap.create({ type: 'hash', name: 'test', keySize: 4, valueSize: 8, maxEntries: 4 })
}

describe('buffers', () => {
  test.each(notBytes)('that are %o are no buffers', (wrong) => {
    using map = createHash()
    const key = u32(1)
    expect(() => map.lookup(any(wrong))).toThrow(TypeError)
    expect(() => map.update(any(wrong), u64(1))).toThrow(TypeError)
    expect(() => map.update(key, any(wrong))).toThrow(TypeError)
    expect(() => map.delete(any(wrong))).toThrow(TypeError)
    if (wrong !== undefined) expect(() => map.nextKey(any(wrong))).toThrow(TypeError)
    expect(() => map.updateBatch(any(wrong), u64(1))).toThrow(TypeError)
    expect(() => map.updateBatch(key, any(wrong))).toThrow(TypeError)
    expect(() => map.deleteBatch(any(wrong))).toThrow(TypeError)
  })

  test.each([
    ['short', () => new Uint8Array(3)],
    ['long', () => new Uint8Array(9)],
    ['empty', () => new Uint8Array(0)],
    ['detached', () => detached(8)],
    ['shrunk', () => shrunk(8)],
  ])('that are %s are refused before the kernel sees them', (_, make) => {
    using map = createHash()
    const key = u32(1)
    map.update(key, u64(1))
    expect(() => map.lookup(make())).toThrow(RangeError)
    expect(() => map.update(make(), u64(1))).toThrow(RangeError)
    expect(() => map.update(key, make())).toThrow(RangeError)
    expect(() => map.delete(make())).toThrow(RangeError)
    expect(() => map.nextKey(make())).toThrow(RangeError)
    expect(() => map.updateBatch(key, make())).toThrow(RangeError)
    expect(map.lookup(key)).toEqual(u64(1))
  })

  test('of batches hold whole entries, and as many values as keys', () => {
    using map = createHash()
    expect(() => map.updateBatch(new Uint8Array(7), u64(1))).toThrow(RangeError)
    expect(() => map.updateBatch(u32(1, 2), u64(1))).toThrow(RangeError)
    expect(() => map.updateBatch(u32(1), u64(1, 2))).toThrow(RangeError)
    expect(() => map.deleteBatch(new Uint8Array(7))).toThrow(RangeError)
    using queue = BpfMap.create({ type: 'queue', name: 'q', keySize: 0, valueSize: 8, maxEntries: 4 })
    expect(() => queue.updateBatch(new Uint8Array(0), u64(1))).toThrow(RangeError)
  })

  test('of per-CPU maps hold the values of all CPUs', () => {
    using map = BpfMap.create({ type: 'percpu_array', name: 'test', keySize: 4, valueSize: 8, maxEntries: 4 })
    expect(() => map.update(u32(0), u64(1))).toThrow(RangeError)
    expect(() => map.updateBatch(u32(0), u64(1))).toThrow(RangeError)
  })
})

describe('other arguments', () => {
  const spec = { type: 'hash', name: 'test', keySize: 4, valueSize: 8, maxEntries: 4 } as const

  test.each<[Record<string, unknown>, typeof TypeError | typeof RangeError]>([
    [{ type: 'nonsense' }, TypeError],
    [{ type: 'toString' }, TypeError],
    [{ type: 1 }, TypeError],
    [{ name: 5 }, TypeError],
    [{ name: 'a\0b' }, TypeError],
    [{ name: 'a'.repeat(300) }, RangeError],
    [{ keySize: '4' }, TypeError],
    [{ keySize: -1 }, RangeError],
    [{ valueSize: 1.5 }, RangeError],
    [{ maxEntries: 2 ** 32 }, RangeError],
    [{ maxEntries: Number.NaN }, RangeError],
    [{ flags: Infinity }, RangeError],
    [{ inner: { handle: {} } }, TypeError],
    [{ inner: { handle: 5 } }, TypeError],
  ])('of a map: %o', (wrong, error) => {
    expect(() => BpfMap.create({ ...spec, ...wrong })).toThrow(error)
  })

  test('must be handles of the right kind', () => {
    using map = createHash()
    using object = BpfObject.load(compileBpf('native'), { programs: ['xdp_drop'] })
    using program = object.program('xdp_drop')
    const data = new Uint8Array(14)
    expect(() => new BpfProgram(map.handle).testRun({ data })).toThrow(TypeError)
    expect(() => new BpfMap(program.handle).readAll()).toThrow(TypeError)
    expect(() => new BpfMap(any({})).fd).toThrow(TypeError)
    expect(() => new BpfObject(map.handle).mapNames).toThrow(TypeError)
    expect(() => new BpfLink(map.handle).detach()).toThrow(TypeError)
    expect(() => BpfLink.attachXdp(any(map), 1, 'native')).toThrow(TypeError)
    expect(() => new RingBuffer(any(program), () => undefined)).toThrow(TypeError)
    expect(() => new BpfMap(object.handle).pin('/sys/fs/bpf/lb-test-never')).toThrow(TypeError)
  })

  test('must be one of the words known', () => {
    using object = BpfObject.load(compileBpf('native'), { programs: ['xdp_drop'] })
    using program = object.program('xdp_drop')
    expect(() => BpfLink.attachXdp(program, 1, any('offload'))).toThrow(TypeError)
    expect(() => BpfLink.attachTcx(program, 1, any('sideways'))).toThrow(TypeError)
  })

  test('must be paths', () => {
    for (const wrong of [undefined, 5, {}, 'a\0b']) {
      expect(() => BpfMap.openPinned(any(wrong))).toThrow(TypeError)
      expect(() => BpfObject.load(any(wrong))).toThrow(TypeError)
      expect(() => readBtf(any(wrong))).toThrow(TypeError)
      expect(() => isBpffs(any(wrong))).toThrow(TypeError)
    }
    expect(() => BpfMap.openPinned('a'.repeat(5000))).toThrow(RangeError)
  })

  test('of a test run have limits', () => {
    using object = BpfObject.load(compileBpf('native'), { programs: ['xdp_drop'] })
    using program = object.program('xdp_drop')
    const data = new Uint8Array(14)
    expect(() => program.testRun({ data: any([]) })).toThrow(TypeError)
    expect(() => program.testRun({ data, context: any('') })).toThrow(TypeError)
    expect(() => program.testRun({ data, outSize: 2 ** 31 })).toThrow(RangeError)
    expect(() => program.testRun({ data, repeat: -1 })).toThrow(RangeError)
  })

  test('of filters, routes and ring buffers', () => {
    const filter = { ifindex: 1, direction: 'ingress', handle: 1, priority: 1 } as const
    expect(() => clsactQuery({ ...filter, handle: 0 })).toThrow(RangeError)
    expect(() => clsactQuery({ ...filter, priority: 65536 })).toThrow(RangeError)
    expect(() => clsactQuery({ ...filter, ifindex: 2 ** 31 })).toThrow(RangeError)
    expect(() => routesGet(any('10.0.0.1'))).toThrow(TypeError)
    expect(() => routesGet(['10.0.0.256'])).toThrow(TypeError)
    expect(() => routesGet([any(5)])).toThrow(TypeError)
    using map = createHash()
    expect(() => new RingBuffer(map, any('callback'))).toThrow(TypeError)
  })
})
