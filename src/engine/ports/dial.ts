/** Seeing whether a TCP connection can be opened. Implemented by src/kernel/dial.ts. */

export interface DialPort {
  /**
   * Opens a connection to an address and resets it at once. `done` is called once, with the name of the error
   * (`ECONNREFUSED`) where it could not be opened; maybe before this returns. What is returned gives up.
   */
  readonly dial: (ip: string, port: number, done: (error: string | undefined) => void) => () => void
}
