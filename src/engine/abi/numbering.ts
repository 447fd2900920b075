/** How a deployment's parts are numbered: the rows that they have in a generation's tables. */
import { LbError } from '../model/errors.ts'
import { formatEndpoint, parseIp } from '../model/ip.ts'
import type { Deployment, Protocol, Target } from '../model/snapshot.ts'

/** `10.0.0.1:8080/tcp`: what counters and connections know a backend by, across generations. */
export function identityOf(ip: string, port: number, protocol: Protocol): string {
  return `${formatEndpoint(ip, port)}/${protocol}`
}

export interface BackendIdentity {
  readonly identity: string
  readonly ip: string
  readonly port: number
  readonly protocol: Protocol
}

export interface GroupPlan {
  readonly proxy: number
  readonly protocol: Protocol
  readonly targets: readonly Target[]
  /** Rows of `backends`, one for each target. */
  readonly backends: readonly number[]
}

/** How a deployment's parts are numbered. Rows follow the snapshot's canonical order. */
export interface Numbering {
  readonly backends: readonly BackendIdentity[]
  readonly backendRow: ReadonlyMap<string, number>
  readonly groups: readonly GroupPlan[]
  /** Per proxy: the group of its default target, and one per source route; equal lists share a group. */
  readonly proxies: readonly { readonly group: number; readonly routeGroups: readonly number[] }[]
}

/** The same for the same deployment: an apply asks for it several times. */
export function numberDeployment(deployment: Deployment): Numbering {
  const known = numbered.get(deployment)
  if (known) return known
  const numbering = number(deployment)
  numbered.set(deployment, numbering)
  return numbering
}

const numbered = new WeakMap<Deployment, Numbering>()

function number({ snapshot }: Deployment): Numbering {
  const backends: BackendIdentity[] = []
  const backendRow = new Map<string, number>()
  const groups: GroupPlan[] = []
  const backendOf = ({ ip, port }: Target, protocol: Protocol): number => {
    const identity = identityOf(ip, port, protocol)
    const known = backendRow.get(identity)
    if (known !== undefined) return known
    backendRow.set(identity, backends.length)
    return backends.push({ identity, ip, port, protocol }) - 1
  }
  const proxies = snapshot.proxies.map((proxy, index) => {
    const { protocol } = proxy.listen
    const seen = new Map<string, number>()
    const group = (targets: readonly Target[]): number => {
      const key = targets
        .map((t) => `${formatEndpoint(t.ip, t.port)}=${t.weight}${t.drain ? ' drain' : ''}`)
        .join(' ')
      const known = seen.get(key)
      if (known !== undefined) return known
      const rows = targets.map((target) => backendOf(target, protocol))
      seen.set(key, groups.length)
      groups.push({ proxy: index, protocol, targets, backends: rows })
      return groups.length - 1
    }
    return { group: group(proxy.defaultTarget), routeGroups: proxy.sourceRoutes.map((r) => group(r.targets)) }
  })
  return { backends, backendRow, groups, proxies }
}

/** The 16 bytes of an address that was validated long before. */
export function addressBytes(ip: string): Uint8Array {
  const bytes = parseIp(ip)
  if (!bytes) throw new LbError('input', `'${ip}' is no IP address`)
  return bytes
}

/** Whether two deployments have the same lists of targets: then their groups and runs are the same. */
export function sameLists(a: Deployment, b: Deployment): boolean {
  const [left, right] = [a.snapshot.proxies, b.snapshot.proxies]
  return (
    left.length === right.length &&
    left.every((proxy, i) => {
      const other = right[i]!
      return (
        proxy.name === other.name &&
        proxy.listen.protocol === other.listen.protocol &&
        sameTargets(proxy.defaultTarget, other.defaultTarget) &&
        proxy.sourceRoutes.length === other.sourceRoutes.length &&
        proxy.sourceRoutes.every(({ targets }, j) => sameTargets(targets, other.sourceRoutes[j]!.targets))
      )
    })
  )
}

function sameTargets(a: readonly Target[], b: readonly Target[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(({ ip, port, weight, drain }, i) => {
        const other = b[i]!
        return ip === other.ip && port === other.port && weight === other.weight && drain === other.drain
      }))
  )
}
