/** Traffic by proxy and target, as the data plane has counted it since a target's backend was first seen. */
import { identityOf } from '../abi/compile.ts'
import { activeConnections, NO_COUNTERS } from '../model/counters.ts'
import type { BackendCounters, CounterSnapshot } from '../model/counters.ts'
import type { TargetKey } from '../model/runtime.ts'
import type { Proxy, Snapshot } from '../model/snapshot.ts'

/** `forward`: from clients to backends. */
export interface Directions {
  readonly forward: number
  readonly reverse: number
}

export interface Traffic {
  readonly packets: Directions
  readonly bytes: Directions
  readonly opened: number
  readonly closed: number
  /** Connections that are not over. */
  readonly active: number
  readonly refused: number
  readonly timedOut: number
  readonly reset: number
}

export interface TargetTraffic {
  readonly target: TargetKey
  readonly traffic: Traffic
}

export interface ProxyTraffic {
  readonly proxy: string
  /** Of its targets together. */
  readonly traffic: Traffic
  /** Each once, in the order in which its lists name them. */
  readonly targets: readonly TargetTraffic[]
}

export interface TrafficReport {
  readonly proxies: readonly ProxyTraffic[]
  /** Of every backend once, also of those that no proxy has any more: removing a target takes nothing off. */
  readonly total: Traffic
}

/**
 * The counters are a backend's and know nothing of generations: applies, rollbacks and daemons leave them
 * as they are. Proxies that share a backend each show all of its traffic, which `total` has once.
 */
export function trafficOf({ proxies }: Snapshot, counters: CounterSnapshot): TrafficReport {
  return {
    proxies: proxies.map((proxy) => proxyTraffic(proxy, counters)),
    total: trafficFrom([...counters.values()].map((backend) => backend.counters)),
  }
}

function proxyTraffic(proxy: Proxy, counters: CounterSnapshot): ProxyTraffic {
  const { protocol } = proxy.listen
  const targets = new Map<string, TargetKey>()
  for (const { ip, port } of [
    proxy.defaultTarget,
    ...proxy.sourceRoutes.map((route) => route.targets),
  ].flat()) {
    targets.set(identityOf(ip, port, protocol), { proxy: proxy.name, ip, port, protocol })
  }
  const counted = [...targets].map(([identity, target]) => ({
    target,
    counters: counters.get(identity)?.counters ?? NO_COUNTERS,
  }))
  return {
    proxy: proxy.name,
    traffic: trafficFrom(counted.map((one) => one.counters)),
    targets: counted.map((one) => ({ target: one.target, traffic: trafficFrom([one.counters]) })),
  }
}

function trafficFrom(counted: readonly BackendCounters[]): Traffic {
  const sum = (valueOf: (counters: BackendCounters) => number): number =>
    counted.reduce((total, counters) => total + valueOf(counters), 0)
  return {
    packets: { forward: sum((c) => c.packetsForward), reverse: sum((c) => c.packetsReverse) },
    bytes: { forward: sum((c) => c.bytesForward), reverse: sum((c) => c.bytesReverse) },
    opened: sum((c) => c.opened),
    closed: sum((c) => c.closed),
    active: sum(activeConnections),
    refused: sum((c) => c.refused),
    timedOut: sum((c) => c.timedOut),
    reset: sum((c) => c.reset),
  }
}
