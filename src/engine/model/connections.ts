/** Live connections as data. */
export interface Connection {
  /** `null` where no listener of the active generation has its address and port. */
  readonly proxy: string | null
  readonly protocol: string
  readonly state: string
  /** Seconds since the last packet in either direction. */
  readonly idleSec: number
  readonly client: string
  readonly listener: string
  readonly target: string
  readonly packetsForward: number
  readonly bytesForward: number
  readonly packetsReverse: number
  readonly bytesReverse: number
}

export interface ConnectionCount {
  readonly proxy: string | null
  readonly target: string
  readonly connections: number
}

export interface ConnectionReport {
  /** All that the filter lets through. */
  readonly total: number
  /** By name of proxy, then target. */
  readonly counts: readonly ConnectionCount[]
  readonly states: Readonly<Record<string, number>>
  /** The ones used last, at most as many as asked for. */
  readonly connections: readonly Connection[]
}

export interface ConnTotals {
  readonly live: number
  readonly evicted: Readonly<Record<string, number>>
}
