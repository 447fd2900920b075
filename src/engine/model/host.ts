/** Facts of the host, of the network namespace that lb runs in. */
export interface NetInterface {
  readonly name: string
  readonly ifindex: number
  readonly driver: string
  readonly up: boolean
  readonly mtu: number
  readonly mac: string
  readonly offloads: Readonly<Record<string, boolean>>
  /** The XDP program on it, whoever's. */
  readonly xdpProgram: { readonly id: number; readonly mode: 'xdp' | 'xdp-generic' } | undefined
  /** What its driver can do with XDP, where the kernel tells. */
  readonly xdp: { readonly native: boolean; readonly redirect: boolean; readonly xmit: boolean } | undefined
}

export interface NetRoute {
  readonly ifindex: number
  readonly gateway: string | undefined
  readonly type: 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit' | 'other'
}
