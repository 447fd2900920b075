import { binding, type Handle } from './binding.ts'

/** An exclusive OS lock (flock) on a directory, freed when closed and when its holder dies. */
export class DirectoryLock implements Disposable {
  readonly #handle: Handle

  private constructor(handle: Handle) {
    this.#handle = handle
  }

  /** `undefined` where another process, or another lock of this one, holds it. */
  static tryAcquire(path: string): DirectoryLock | undefined {
    const handle = binding.lockDirectory(path)
    return handle && new DirectoryLock(handle)
  }

  close(): void {
    binding.handleClose(this.#handle)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
