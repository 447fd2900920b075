/** The two implementations of the kernel port, for suites that hold for both. */
import { join } from 'node:path'
import { LbError } from '../../src/engine/model/errors.ts'
import type { KernelPort, MapPort, MapSpec } from '../../src/engine/ports/kernel.ts'
import { createKernel } from '../../src/kernel/kernel.ts'
import { fakeKernel } from './fake-kernel.ts'
import { fakeState, MOUNT } from './fake-kernel-state.ts'
import { root } from './lab/run.ts'
import { pinFolder } from './native.ts'

export interface KernelUnderTest {
  readonly kernel: KernelPort
  /** An empty folder in bpffs, gone after the test. */
  readonly folder: string
}

export const OBJECT_PATH = join(root, 'build/bpf/lb.bpf.o')

export const KERNELS: readonly (readonly [string, () => KernelUnderTest])[] = [
  [
    'fake',
    () => {
      const kernel = fakeKernel(fakeState())
      kernel.fs.makeDirectory(`${MOUNT}/test`)
      return { kernel, folder: `${MOUNT}/test` }
    },
  ],
  ['real', () => ({ kernel: createKernel({ objectPath: OBJECT_PATH }), folder: pinFolder() })],
]

/** What `action` throws, as far as the port promises it. */
export function portFailure(action: () => unknown): { code: string; errno: unknown } {
  try {
    action()
  } catch (error) {
    if (!(error instanceof LbError)) throw error
    return { code: error.code, errno: (error.cause as { code?: unknown } | undefined)?.code }
  }
  throw new Error('it did not fail')
}

export const kernelError = (errno: string) => ({ code: 'kernel', errno })

/** A map with keys and values of four bytes. */
export function smallMap(kernel: KernelPort, type: MapSpec['type'], options: Partial<MapSpec> = {}): MapPort {
  return kernel.createMap({
    type,
    name: 'small',
    keySize: 4,
    valueSize: 4,
    maxEntries: 4,
    flags: [],
    ...options,
  })
}

/** Entries as pairs of hex, sorted: hashes have an order of their own. */
export function entriesOf(map: MapPort): string[] {
  const { count, keys, values } = map.readAll()
  const { keySize } = map.info
  const width = count === 0 ? 0 : values.length / count
  const hex = (bytes: Uint8Array, size: number, i: number): string =>
    Buffer.from(bytes.subarray(i * size, (i + 1) * size)).toString('hex')
  return Array.from({ length: count }, (_, i) => `${hex(keys, keySize, i)}=${hex(values, width, i)}`).sort()
}
