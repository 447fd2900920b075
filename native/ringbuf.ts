import { binding, type RingHandle } from './binding.ts'
import type { BpfMap } from './map.ts'

/**
 * Records of a ring buffer, delivered on the event loop until closed. What `onRecord` throws is an
 * uncaught exception.
 */
export class RingBuffer implements Disposable {
  readonly #ring: RingHandle

  /** `onRecord` gets a copy of each record. `unref()`ed buffers do not keep the process alive. */
  constructor(map: BpfMap, onRecord: (record: Uint8Array) => void) {
    this.#ring = binding.ringOpen(map.handle, onRecord)
  }

  ref(): void {
    binding.ringRef(this.#ring)
  }

  unref(): void {
    binding.ringUnref(this.#ring)
  }

  close(): void {
    binding.ringClose(this.#ring)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
