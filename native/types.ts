/** What the addon returns as it is. */

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

export interface BtfField {
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  /** Bytes; of the whole array for arrays. */
  readonly size: number
  readonly kind: 'int' | 'array' | 'struct' | 'union' | 'enum' | 'pointer' | 'other'
  /** The type's name as the source has it (`__be32`, `unsigned int`, `lb_addr`), of one element for arrays. */
  readonly typeName: string
  readonly signed: boolean
  /** For arrays: number of elements and size of one. */
  readonly length?: number
  readonly elementSize?: number
}

export interface BtfStruct {
  readonly name: string
  readonly size: number
  /** In order of declaration; members of a struct or union without a name count as the outer one's. */
  readonly fields: readonly BtfField[]
}

export interface BtfEnum {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}
