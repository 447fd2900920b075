/** What lb and the others are told: the same lists of the same backends, checked in the same way. */
import { vip } from '../../test/support/netns.ts'
import { answeringPort, targetAddress } from './network.ts'

export type Check = 'tcp' | 'http'

/** So many lists of so many targets each. */
export interface Lists {
  readonly lists: number
  readonly targets: number
}

export interface Targets extends Lists {
  readonly port: number
  /** Of the first target. */
  readonly firstAddress: number
  /** The weights of each list; none: equal shares. */
  readonly weights?: readonly number[]
  /** Targets that are to fail, checked by HTTP at a port of their own: one of each list, or so many of the only one. */
  readonly failing?: { readonly count: number; readonly port: number }
}

/** The backends that everybody checks. */
export const checked: Targets = { lists: 100, targets: 10, port: answeringPort, firstAddress: 0 }

const firstPort = 20_000
const addressOf = ({ targets, firstAddress }: Targets, list: number, k: number) =>
  targetAddress(firstAddress + list * targets + k)
const listsOf = ({ lists }: Lists) => Array.from({ length: lists }, (_, i) => i)
const membersOf = ({ targets }: Lists) => Array.from({ length: targets }, (_, k) => k)

/** Whether a target is to fail; those of several lists are the first of theirs. */
export function isFailing({ lists, failing }: Targets, list: number, k: number): boolean {
  return failing !== undefined && (lists === 1 ? k : k === 0 ? list : Infinity) < failing.count
}

/** Their addresses. */
export function failingAddresses(targets: Targets): string[] {
  return listsOf(targets).flatMap((list) =>
    membersOf(targets)
      .filter((k) => isFailing(targets, list, k))
      .map((k) => addressOf(targets, list, k)),
  )
}

/** A check each second; the first result that differs decides. `undefined`: no checks. */
export function lbConfiguration(targets: Targets, check: Check | undefined): string {
  const { weights, port } = targets
  const lines = ['version: 1']
  if (check !== undefined) {
    const http = check === 'http' ? ', path: /' : ''
    lines.push('settings:', '  healthCheckEnabled: true')
    lines.push(
      `  healthCheckDefaults: { type: ${check}${http}, intervalMs: 1000, healthyThreshold: 1, unhealthyThreshold: 1 }`,
    )
  }
  lines.push('proxies:')
  for (const list of listsOf(targets)) {
    lines.push(
      `  - name: service-${list}`,
      `    listen: { interfaces: [front0], address: ${vip.ipv4}, port: ${firstPort + list}, protocol: tcp }`,
      '    defaultTarget:',
    )
    for (const k of membersOf(targets)) {
      const weight = weights ? `, weight: ${weights[k]!}` : ''
      const own = isFailing(targets, list, k) ? ', healthCheck: { type: http, path: / }' : ''
      const to = own === '' ? port : targets.failing!.port
      lines.push(`      - { ip: ${addressOf(targets, list, k)}, port: ${to}${weight}${own} }`)
    }
  }
  return `${lines.join('\n')}\n`
}

export function haproxyConfiguration(targets: Targets, check: Check | undefined): string {
  const { weights, port } = targets
  const lines = [
    'global\n  maxconn 8000',
    'defaults\n  mode tcp\n  timeout connect 3s\n  timeout client 60s\n  timeout server 60s\n  timeout check 3s',
  ]
  for (const list of listsOf(targets)) {
    lines.push(`listen service-${list}`, `  bind ${vip.ipv4}:${firstPort + list}`, '  balance random')
    if (check === 'http') lines.push('  option httpchk GET /')
    if (check !== undefined) lines.push('  default-server check inter 1s rise 1 fall 1')
    for (const k of membersOf(targets)) {
      const weight = weights ? ` weight ${weights[k]!}` : ''
      lines.push(`  server s${k} ${addressOf(targets, list, k)}:${port}${weight}`)
    }
  }
  return `${lines.join('\n')}\n`
}

export function keepalivedConfiguration(targets: Targets, check: Check): string {
  const checker =
    check === 'tcp'
      ? 'TCP_CHECK {\n      connect_timeout 3\n      retry 0\n    }'
      : 'HTTP_GET {\n      url {\n        path /\n        status_code 200\n      }\n      connect_timeout 3\n      retry 0\n    }'
  const services = listsOf(targets).map((list) =>
    [
      `virtual_server ${vip.ipv4} ${firstPort + list} {`,
      '  delay_loop 1\n  lvs_sched rr\n  lvs_method NAT\n  protocol TCP',
      ...membersOf(targets).map(
        (k) =>
          `  real_server ${addressOf(targets, list, k)} ${targets.port} {\n    weight 1\n    ${checker}\n  }`,
      ),
      '}',
    ].join('\n'),
  )
  return `global_defs {\n  router_id bench\n}\n${services.join('\n')}\n`
}
