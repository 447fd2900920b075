/**
 * What the data plane counts for a backend, and what follows from it. A backend is an address, a port and
 * a protocol: proxies that share one share its counters, because the data plane sees connections to it,
 * not on whose behalf.
 */

/** Sums over CPUs. All but `packets*` and `bytes*` only ever grow, and count a connection once at most. */
export interface BackendCounters {
  readonly packetsForward: number
  readonly bytesForward: number
  readonly packetsReverse: number
  readonly bytesReverse: number
  /** Records made, and records deleted: a closed connection keeps its record for a while. */
  readonly opened: number
  readonly closed: number
  /** TCP handshakes completed; UDP: flows that were answered. */
  readonly established: number
  /** RST from the backend before the handshake was complete. */
  readonly refused: number
  /** TCP connections that were given up while the backend had not answered the SYN. */
  readonly timedOut: number
  /** RST from the backend after the handshake and before it had closed its side. */
  readonly reset: number
  /** Closed by both sides, reset by either, or deleted before that. */
  readonly ended: number
  /** Deleted because the target was removed and its connections were not to live on. */
  readonly removed: number
}

export const NO_COUNTERS: BackendCounters = {
  packetsForward: 0,
  bytesForward: 0,
  packetsReverse: 0,
  bytesReverse: 0,
  opened: 0,
  closed: 0,
  established: 0,
  refused: 0,
  timedOut: 0,
  reset: 0,
  ended: 0,
  removed: 0,
}

/** A backend's counters, and the row that holds them: another row is another count from zero. */
export interface CountedBackend {
  readonly row: number
  readonly counters: BackendCounters
}

/** All backends that have counters at one time, by identity: `10.0.0.1:8080/tcp`. */
export type CounterSnapshot = ReadonlyMap<string, CountedBackend>

/**
 * How requests fared: connections that the data plane saw, or results of health checks. `successes` is
 * negative where a connection that was counted as one before turned out to be none.
 */
export interface Outcomes {
  readonly successes: number
  readonly errors: number
}

/** Connections that are not over yet: closed ones that only keep their record are not among them. */
export function activeConnections({ opened, ended }: BackendCounters): number {
  return Math.max(0, opened - ended)
}

/** Records of connections, closed ones that are still remembered among them. */
export function trackedConnections({ opened, closed }: BackendCounters): number {
  return Math.max(0, opened - closed)
}

/**
 * How the connections of an interval fared, given what was counted in it. A connection that is reset after
 * its handshake was a success when it was established and is an error now; it counts as one request.
 */
export function outcomesOf({ established, refused, timedOut, reset }: BackendCounters): Outcomes {
  return { successes: established - reset, errors: refused + timedOut + reset }
}
