import { binding } from './binding.ts'

export interface InterfaceInfo {
  readonly name: string
  readonly ifindex: number
  /** From ethtool; `''` where the driver does not say. */
  readonly driver: string
  readonly mtu: number
  readonly up: boolean
  readonly mac: string
  /** Id of the XDP program on it, if any; `xdpGeneric`: in generic mode. */
  readonly xdpProgram: number | undefined
  readonly xdpGeneric: boolean
  /** NETDEV_XDP_ACT_* bits from the netdev netlink family (kernel 6.3), or `undefined`. */
  readonly xdpFeatures: number | undefined
  /** ethtool offloads that matter: `rx-checksum`, `tx-checksum`, `tso`, `gso`, `gro`, `lro`. */
  readonly offloads: Readonly<Record<string, boolean>>
}

export interface Route {
  /** 0 for an IPv4 route that refuses: the kernel names no interface. */
  readonly ifindex: number
  readonly gateway: string | undefined
  readonly source: string | undefined
  /** 'local': the address is this host's own. */
  readonly type: 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit' | 'other'
}

export interface Neighbour {
  readonly ip: string
  readonly ifindex: number
  readonly mac: string | undefined
  readonly state:
    'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'incomplete' | 'permanent' | 'noarp' | 'none'
}

/** Interfaces of the caller's network namespace (never read from /sys, which may show another's). */
export function interfaces(): readonly InterfaceInfo[] {
  return binding.interfaces()
}

/** How packets to `destination` leave, by RTM_GETROUTE. `undefined` where there is no route. */
export function routeGet(destination: string): Route | undefined {
  return binding.routesGet([destination])[0]
}

/** The same for many destinations, in their order, over one socket. */
export function routesGet(destinations: readonly string[]): readonly (Route | undefined)[] {
  return binding.routesGet(destinations)
}

/** The neighbour tables of both families. */
export function neighbours(): readonly Neighbour[] {
  return binding.neighbours()
}
