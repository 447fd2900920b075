import { binding, type ConnectorHandle } from './binding.ts'

/**
 * Opens TCP connections to see whether they can be, and resets them at once, on the event loop. Those under way
 * keep the process alive. What `onOutcome` throws is an uncaught exception.
 */
export class Connector implements Disposable {
  readonly #connector: ConnectorHandle

  /** `onOutcome` gets the id, and 0 or the errno that the connection failed with. */
  constructor(onOutcome: (id: number, errno: number) => void) {
    this.#connector = binding.connectorOpen(onOutcome)
  }

  /** An id, or below zero the errno that it failed with at once: then there is no outcome to come. */
  start(address: string, port: number): number {
    return binding.connectorStart(this.#connector, address, port)
  }

  /** No outcome comes after this. */
  stop(id: number): void {
    binding.connectorStop(this.#connector, id)
  }

  /** Lets go of those under way too. */
  close(): void {
    binding.connectorClose(this.#connector)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
