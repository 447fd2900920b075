/** How a deployment's parts are numbered: the rows that they have in a generation's tables. */
import { LbError } from '../model/errors.ts'
import { formatEndpoint, parseIp } from '../model/ip.ts'
import type { Deployment, Protocol, Target } from '../model/snapshot.ts'

/** `10.0.0.1:8080/tcp`: what counters and connections know a backend by, across generations. */
export function identityOf(ip: string, port: number, protocol: Protocol): string {
  return `${formatEndpoint(ip, port)}/${protocol}`
}

export interface Backend {
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
  readonly backends: readonly Backend[]
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
  const backends: Backend[] = []
  const rowOf = backendRows(backends)
  const groups: GroupPlan[] = []
  const proxies = snapshot.proxies.map((proxy, index) => {
    const { protocol } = proxy.listen
    const rowsOf = (targets: readonly Target[]): number[] =>
      targets.map(({ ip, port }) => rowOf({ ip, port, protocol }))
    const add = (targets: readonly Target[], rows: readonly number[]): number =>
      groups.push({ proxy: index, protocol, targets, backends: rows }) - 1
    const rows = rowsOf(proxy.defaultTarget)
    const group = add(proxy.defaultTarget, rows)
    // Most proxies have no other list.
    if (proxy.sourceRoutes.length === 0) return { group, routeGroups: [] }
    const seen = new Map([[listKey(proxy.defaultTarget, rows), group]])
    const routeGroups = proxy.sourceRoutes.map(({ targets }) => {
      const own = rowsOf(targets)
      const key = listKey(targets, own)
      const known = seen.get(key) ?? add(targets, own)
      seen.set(key, known)
      return known
    })
    return { group, routeGroups }
  })
  return { backends, groups, proxies }
}

/** The row of a backend, which is added to `backends` where it is not among them. */
function backendRows(backends: Backend[]): (backend: Backend) => number {
  // By port first: there are few of them, and no text has to be put together for each of many targets.
  const known = new Map<number, Map<string, number>>()
  return (backend) => {
    const { ip, port, protocol } = backend
    const place = 2 * port + (protocol === 'tcp' ? 0 : 1)
    let rows = known.get(place)
    if (!rows) known.set(place, (rows = new Map<string, number>()))
    let row = rows.get(ip)
    if (row === undefined) {
      row = backends.push(backend) - 1
      rows.set(ip, row)
    }
    return row
  }
}

/** The same for lists with the same targets and weights. */
function listKey(targets: readonly Target[], rows: readonly number[]): string {
  return targets.map(({ weight, drain }, i) => `${rows[i]}=${weight}${drain ? ' drain' : ''}`).join()
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
