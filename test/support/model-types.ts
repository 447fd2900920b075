/** What the model speaks of: configurations, connections, and what becomes of a packet. Part of the model; see model.ts. */
import type { Attached, Hook, Hop } from './model-route.ts'
import type { ConnState, Direction } from './model-tcp.ts'
import type { L4 } from './packet.ts'

export type Verdict = 'pass' | 'drop' | 'redirect'

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

export interface Listener {
  readonly device: string
  /** `0.0.0.0` or `::` for any address. */
  readonly address: string
  readonly port: number
  readonly protocol: L4
  readonly group: string
  readonly routes?: readonly { readonly source: string; readonly group: string }[]
}

export interface Configuration {
  readonly listeners: readonly Listener[]
  /** A group's run: the entries that are chosen from with equal chance. */
  readonly groups: Readonly<Record<string, readonly Endpoint[]>>
  /** Interfaces that this configuration knows otherwise than the world says. */
  readonly interfaces?: Readonly<Record<string, Attached>>
  readonly maxConnections?: number
}

export interface Connection {
  readonly protocol: L4
  readonly client: Endpoint
  readonly listener: Endpoint
  readonly backend: Endpoint
  state: ConnState
  readonly packets: Record<Direction, number>
  readonly bytes: Record<Direction, number>
}

export interface Fate {
  readonly verdict: Verdict
  readonly reason: string
  /** What the packet's destination (from a client) or source (from a backend) becomes. */
  readonly rewrite?: { readonly end: 'source' | 'destination'; readonly to: Endpoint }
  /** New MAC addresses and one hop less. */
  readonly hop?: Hop
}

/** What is counted for a backend. */
export interface Tally {
  opened: number
  closed: number
  packetsForward: number
  bytesForward: number
  packetsReverse: number
  bytesReverse: number
  established: number
  refused: number
  timedOut: number
  reset: number
  ended: number
  removed: number
}

export const NO_TALLY: Readonly<Tally> = {
  opened: 0,
  closed: 0,
  packetsForward: 0,
  bytesForward: 0,
  packetsReverse: 0,
  bytesReverse: 0,
  established: 0,
  refused: 0,
  timedOut: 0,
  reset: 0,
  ended: 0,
  removed: 0,
}

export interface Model {
  readonly connections: readonly Connection[]
  /** Per backend: `10.0.0.1:8080/tcp`. */
  readonly tallies: ReadonlyMap<string, Tally>
  /**
   * `chosen`: where the data plane sent the packet, for when it starts a connection. `evicted`: which
   * connections it holds no more; asked where there are as many as allowed.
   */
  step(
    frame: Uint8Array,
    hook: Hook,
    device: string,
    chosen: Endpoint | undefined,
    evicted?: () => readonly Connection[],
  ): Fate
  /** Another configuration from now on; `undefined`: none. Connections stay. */
  configure(next: Configuration | undefined): void
}
