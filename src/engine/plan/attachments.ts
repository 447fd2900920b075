/** Which interfaces the programs go on, and how: from the configuration and what the host says of itself. */
import { LbError } from '../model/errors.ts'
import type { NetInterface, NetRoute } from '../model/host.ts'
import { compareNames } from '../model/order.ts'
import type { Attach, Attachment, AttachMode, InterfaceRole, Snapshot } from '../model/snapshot.ts'

/** Software devices, on which XDP costs more than it brings (veth loses TSO): tcx serves them better. */
const VIRTUAL_DRIVERS = new Set([
  'veth',
  'tun',
  'bridge',
  'bonding',
  'macvlan',
  'ipvlan',
  '802.1Q VLAN Support',
])

export interface HostFacts {
  readonly interfaces: readonly NetInterface[]
  /** Routes to the targets, in any order; `undefined` where there is none. */
  readonly routes: Iterable<NetRoute | undefined>
}

/** Addresses of all targets of a snapshot, each once: those that `HostFacts.routes` leads to. */
export function targetAddresses(snapshot: Snapshot): string[] {
  const addresses = new Set<string>()
  for (const proxy of snapshot.proxies) {
    for (const { ip } of proxy.defaultTarget) addresses.add(ip)
    for (const route of proxy.sourceRoutes) for (const { ip } of route.targets) addresses.add(ip)
  }
  return [...addresses]
}

/** @throws LbError `host` where an interface that the snapshot names does not exist. */
export function resolveAttachments(snapshot: Snapshot, facts: HostFacts): Attachment[] {
  const byName = new Map(facts.interfaces.map((item) => [item.name, item]))
  const byIndex = new Map(facts.interfaces.map((item) => [item.ifindex, item]))
  const roles = new Map<string, Set<InterfaceRole>>()
  const add = (name: string, role: InterfaceRole): void => {
    roles.set(name, (roles.get(name) ?? new Set()).add(role))
  }
  for (const { listen } of snapshot.proxies) for (const name of listen.interfaces) add(name, 'listen')
  for (const { name } of snapshot.interfaces) add(name, 'configured')
  // Many routes, few ways out.
  const waysOut = new Set<number>()
  for (const route of facts.routes) if (route?.type === 'unicast') waysOut.add(route.ifindex)
  for (const ifindex of waysOut) {
    const device = byIndex.get(ifindex)
    if (device) add(device.name, 'backend')
  }
  const attach = new Map(snapshot.interfaces.map((item) => [item.name, item.attach]))
  return [...roles.entries()]
    .map(([name, set]) => resolveOne(name, attach.get(name) ?? 'auto', set, byName))
    .sort(compareNames)
}

const ROLE_ORDER: readonly InterfaceRole[] = ['listen', 'backend', 'configured']

function resolveOne(
  name: string,
  attach: Attach,
  roles: ReadonlySet<InterfaceRole>,
  byName: ReadonlyMap<string, NetInterface>,
): Attachment {
  const device = byName.get(name)
  if (!device) {
    throw new LbError('host', `interface ${name} does not exist on this host`, {
      hint: `interfaces here: ${[...byName.keys()].join(', ')}`,
    })
  }
  return {
    name,
    ifindex: device.ifindex,
    attach,
    mode: attach === 'auto' ? automaticMode(device) : attach,
    roles: ROLE_ORDER.filter((role) => roles.has(role)),
    xdpXmit: device.xdp?.xmit ?? false,
  }
}

/** Native XDP where the driver has it and redirects, tcx elsewhere. */
export function automaticMode({ driver, xdp }: NetInterface): AttachMode {
  if (driver === '' || VIRTUAL_DRIVERS.has(driver)) return 'tcx'
  return xdp?.native && xdp.redirect ? 'xdp' : 'tcx'
}

/** An interface index that only the host can tell. */
export const UNKNOWN_IFINDEX = 0

/**
 * Attachments as far as they can be told away from the host: those that the live state has stay as
 * they are there, others are known only once a plan is made on the host.
 */
export function offlineAttachments(snapshot: Snapshot, live: readonly Attachment[]): Attachment[] {
  const known = new Map(live.map((attachment) => [attachment.name, attachment]))
  const attach = new Map(snapshot.interfaces.map((item) => [item.name, item.attach]))
  const listens = new Set(snapshot.proxies.flatMap(({ listen }) => listen.interfaces))
  const stillBackend = live.filter(({ roles }) => roles.includes('backend')).map(({ name }) => name)
  const names = new Set([...listens, ...attach.keys(), ...stillBackend])
  return [...names]
    .map((name): Attachment => {
      const before = known.get(name)
      const wanted = attach.get(name) ?? 'auto'
      const held = {
        listen: listens.has(name),
        backend: stillBackend.includes(name),
        configured: attach.has(name),
      }
      const roles = ROLE_ORDER.filter((role) => held[role])
      if (before?.attach === wanted) return { ...before, roles }
      const mode = wanted === 'auto' ? (before?.mode ?? 'tcx') : wanted
      return {
        name,
        ifindex: before?.ifindex ?? UNKNOWN_IFINDEX,
        attach: wanted,
        mode,
        roles,
        xdpXmit: before?.xdpXmit ?? false,
      }
    })
    .sort(compareNames)
}
