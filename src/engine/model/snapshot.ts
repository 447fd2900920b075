import { DEFAULT_DAEMON_SETTINGS } from './policy.ts'
import type { DaemonSettings, HealthCheck } from './policy.ts'

/**
 * The load balancer as data. The desired snapshot comes from configuration files with every default
 * filled in; the live one is decoded from BPF maps. Both have this type, so they can be compared.
 *
 * Canonical order, kept by every producer: proxies by name; interfaces of a listener, targets
 * (address, then port) and source routes in the order of their canonical text. Addresses are
 * canonical text: IPv4 dotted quads, IPv6 as in RFC 5952.
 */
export interface Snapshot {
  readonly proxies: readonly Proxy[]
  /** Only interfaces that the configuration names under `interfaces`. */
  readonly interfaces: readonly InterfaceSetting[]
  readonly settings: Settings
}

export type Protocol = 'tcp' | 'udp'
export type Forwarding = 'nat'
export type Attach = 'auto' | 'xdp' | 'xdp-generic' | 'tcx' | 'none'
/** How the programs are, or will be, attached: `auto` resolved. */
export type AttachMode = Exclude<Attach, 'auto'>
export type Family = 'ipv4' | 'ipv6'

export interface Proxy {
  readonly name: string
  readonly listen: Listen
  readonly forwarding: Forwarding
  readonly defaultTarget: readonly Target[]
  readonly sourceRoutes: readonly SourceRoute[]
  /**
   * After how many seconds the connections of a target that is removed are ended; 0: at once; absent: they live
   * on until they end.
   */
  readonly endRemovedAfterSec?: number
}

export interface Listen {
  readonly interfaces: readonly string[]
  /** `null`: any address of the targets' family. */
  readonly address: string | null
  readonly port: number
  readonly protocol: Protocol
}

/**
 * What most targets do not have is absent, not a default: lists of 100,000 stay small in memory, in
 * manifests and in plans.
 */
export interface Target {
  readonly ip: string
  readonly port: number
  /**
   * Positive, a list's weights summing to 100, or to a multiple of it where a host has more addresses than
   * weight; `null` on all of a list: they share equally.
   */
  readonly weight: number | null
  /** Its own health check; absent: as the settings say. See `healthCheckOf`. */
  readonly healthCheck?: HealthCheck
  /** It gets no new connections; absent: it does. */
  readonly drain?: true
  /** The name that it is an address of; absent: it is configured by address. */
  readonly origin?: Origin
}

/** A target that is configured by name, of which there is a Target for each address. */
export interface Origin {
  readonly host: string
  /**
   * The share of all its addresses together, in percent; `null`: each has the same as any other of the list. It
   * follows from their weights, and is no attribute of its own in plans.
   */
  readonly weight: number | null
  readonly dnsRefreshSeconds: number
}

export interface SourceRoute {
  /** Canonical CIDR, host bits zero: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1/32`. */
  readonly source: string
  readonly targets: readonly Target[]
  /** The name that the source is an address of; absent: it is configured by address. */
  readonly origin?: string
}

export interface InterfaceSetting {
  readonly name: string
  readonly attach: Attach
}

export interface Settings extends PacketSettings, DaemonSettings {}

/** What the packet path reads. */
export interface PacketSettings {
  /** Idle time after which an established TCP connection is forgotten, in seconds. */
  readonly connectionTimeoutSec: number
  readonly synTimeoutSec: number
  readonly finTimeoutSec: number
  readonly timeWaitTimeoutSec: number
  readonly resetTimeoutSec: number
  readonly udpTimeoutSec: number
  readonly udpStreamTimeoutSec: number
  /** Connections of both families together that are kept at once. */
  readonly maxConnections: number
}

/** The defaults of the schema, for where there is no configuration. */
export const DEFAULT_SETTINGS: Settings = {
  connectionTimeoutSec: 300,
  synTimeoutSec: 30,
  finTimeoutSec: 60,
  timeWaitTimeoutSec: 60,
  resetTimeoutSec: 10,
  udpTimeoutSec: 30,
  udpStreamTimeoutSec: 180,
  maxConnections: 100_000,
  ...DEFAULT_DAEMON_SETTINGS,
}

/** Where and how the programs are attached: a fact of the host, found out when planning. */
export interface Attachment {
  readonly name: string
  readonly ifindex: number
  readonly attach: Attach
  readonly mode: AttachMode
  readonly roles: readonly InterfaceRole[]
  /** The driver sends frames that XDP redirects to it. */
  readonly xdpXmit: boolean
}

/** `listen`: a listener is on it; `backend`: a backend is reached through it; `configured`: named under `interfaces`. */
export type InterfaceRole = 'listen' | 'backend' | 'configured'

/** All that decides what a generation's maps hold, but for rows of counters. Attachments by name. */
export interface Deployment {
  readonly snapshot: Snapshot
  readonly attachments: readonly Attachment[]
}
