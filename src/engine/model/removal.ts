/** Targets that were removed, and the connections that they still have. */
import type { Listen } from './snapshot.ts'

/** A target that is taken away from a proxy. */
export interface RemovedTarget {
  readonly proxy: string
  /** Of the proxy, when it had the target. */
  readonly listener: Omit<Listen, 'interfaces'>
  readonly ip: string
  readonly port: number
  /** After how many seconds its connections are ended; 0: at once; `null`: they live on until they end. */
  readonly endAfterSec: number | null
}

/** What a plan says of the connections of a target that it removes, where it has any. */
export interface PlannedRemoval extends RemovedTarget {
  /** That are not over. */
  readonly connections: number
}

/** A removed target whose connections are to end, as pinned. */
export interface Removal extends Omit<RemovedTarget, 'endAfterSec'> {
  /** Row of its counters. */
  readonly row: number
  /** Milliseconds of the monotonic clock of the host; `null`: never, whatever is said of listeners on any address. */
  readonly deadline: number | null
}

/** The same in words of the day, to be shown. */
export interface PendingRemoval extends Omit<Removal, 'row' | 'deadline'> {
  /** That are not over. */
  readonly connections: number
  /** ISO 8601, UTC: when they are ended; a time that is past: they are being ended. */
  readonly until: string
}
