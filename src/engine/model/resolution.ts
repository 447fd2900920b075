/** What names stand for: questions to a resolver, its answers, and what they come to. */
import type { Family } from './snapshot.ts'

/** One question: the addresses of one family that a name has. */
export interface NameQuery {
  /** As configured; with a final dot the search list of the host is not used. */
  readonly host: string
  readonly family: Family
}

/**
 * `not-found`: there is no such name. `no-data`: it has no address of that family. `timeout`: nobody
 * answered in time. `server`: a server answered that it cannot or will not tell, or with nonsense.
 */
export type ResolutionFailure = 'not-found' | 'no-data' | 'timeout' | 'server'

export type Answer =
  | {
      readonly ok: true
      /** As they came: in any order, possibly twice, possibly of another family, possibly none. */
      readonly addresses: readonly string[]
      /** The smallest of the records; `null` where the answer has none, as one from /etc/hosts. */
      readonly ttlSec: number | null
    }
  | {
      readonly ok: false
      readonly failure: ResolutionFailure
      /** For people: `no such name`, `timeout after 5000 ms`. */
      readonly error: string
    }

/**
 * The addresses by host: canonical text of both families, sorted, none twice. A host without an entry could not be
 * resolved; an entry is never empty.
 */
export type HostAddresses = ReadonlyMap<string, readonly string[]>
