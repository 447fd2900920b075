/** Words of the model as the numbers that maps hold, both ways. */
import type { Attach, InterfaceRole, PacketSettings, Protocol } from '../model/snapshot.ts'
import { enums } from './layout.generated.ts'
import type { FieldName } from './struct.ts'

/** IANA protocol numbers. */
const PROTOCOLS = { tcp: 6, udp: 17 } as const satisfies Record<Protocol, number>

const ATTACH = {
  auto: enums.lb_attach.LB_ATTACH_AUTO,
  xdp: enums.lb_attach.LB_ATTACH_XDP,
  'xdp-generic': enums.lb_attach.LB_ATTACH_XDP_GENERIC,
  tcx: enums.lb_attach.LB_ATTACH_TCX,
  none: enums.lb_attach.LB_ATTACH_NONE,
} as const satisfies Record<Attach, number>

const ROLES = {
  listen: enums.lb_interface_flag.LB_INTERFACE_LISTEN,
  backend: enums.lb_interface_flag.LB_INTERFACE_BACKEND,
  configured: enums.lb_interface_flag.LB_INTERFACE_CONFIGURED,
} as const satisfies Record<InterfaceRole, number>

export function inverse<K extends string>(
  table: Readonly<Record<K, number>>,
): (value: number) => K | undefined {
  const names = new Map(Object.entries<number>(table).map(([name, value]) => [value, name as K]))
  return (value) => names.get(value)
}

export const protocolNumber = (protocol: Protocol): number => PROTOCOLS[protocol]
export const protocolName = inverse<Protocol>(PROTOCOLS)
export const attachNumber = (attach: Attach): number => ATTACH[attach]
export const attachName = inverse<Attach>(ATTACH)

export function roleFlags(roles: readonly InterfaceRole[]): number {
  return roles.reduce((flags, role) => flags | ROLES[role], 0)
}

export function rolesOf(flags: number): InterfaceRole[] {
  return (Object.keys(ROLES) as InterfaceRole[]).filter((role) => (flags & ROLES[role]) !== 0)
}

/** The field of lb_settings that holds each setting. */
export const SETTING_FIELDS = {
  connectionTimeoutSec: 'tcp_established_sec',
  synTimeoutSec: 'tcp_syn_sec',
  finTimeoutSec: 'tcp_fin_sec',
  timeWaitTimeoutSec: 'tcp_time_wait_sec',
  resetTimeoutSec: 'tcp_reset_sec',
  udpTimeoutSec: 'udp_oneway_sec',
  udpStreamTimeoutSec: 'udp_stream_sec',
  maxConnections: 'max_connections',
} as const satisfies Record<keyof PacketSettings, FieldName<'lb_settings'>>
export const SETTING_KEYS = Object.keys(SETTING_FIELDS) as readonly (keyof PacketSettings)[]

/** `time-wait` of LB_CONN_TIME_WAIT. */
export const connStateName = (constant: string): string =>
  constant.slice('LB_CONN_'.length).toLowerCase().replaceAll('_', '-')
