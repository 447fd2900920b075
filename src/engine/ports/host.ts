/** What else the engine needs of the host: clock, identity, hashing, compression. */
import type { Clocks } from '../model/clocks.ts'

export interface HostPort {
  /** ISO 8601 in UTC, to the second. */
  now(): string
  /** Milliseconds of the clock that nobody sets: the same for all processes. */
  monotonicMs(): number
  clocks(): Clocks
  /** Who runs the command: `root`, or `alice` behind sudo. */
  readonly user: string
  /** SHA-256 in hex over the parts, in order. */
  readonly digest: (parts: Iterable<Uint8Array | string>) => string
  deflate(bytes: Uint8Array): Uint8Array
  /** Throws on anything that `deflate` did not make. */
  inflate(bytes: Uint8Array): Uint8Array
}
