/** Gathers what `lb doctor` judges. Looks only, changes nothing. */
import type { DoctorFacts, InterfaceFacts, TargetFacts } from '../engine/doctor/facts.ts'
import type { World } from '../engine/execute/world.ts'
import type { NetInterface } from '../engine/model/host.ts'
import type { Snapshot } from '../engine/model/snapshot.ts'
import { resolveAttachments, targetAddresses } from '../engine/plan/attachments.ts'
import { forwarding, rpFilter, systemFacts } from '../kernel/system.ts'

/** Without a snapshot: of the machine only. */
export function gatherFacts(world: World, snapshot: Snapshot | undefined): DoctorFacts {
  return {
    ...systemFacts(),
    forwarding: forwarding('all'),
    interfaces: snapshot ? interfaceFacts(world, snapshot) : [],
    targets: snapshot ? targetFacts(world, snapshot) : [],
  }
}

function interfaceFacts(world: World, snapshot: Snapshot): InterfaceFacts[] {
  const { net } = world.kernel
  const devices = net.interfaces()
  const byName = new Map(devices.map((device) => [device.name, device]))
  const routes = net.routes(targetAddresses(snapshot))
  // One at a time, so that a missing interface does not hide what is known of the others.
  const named = new Set([
    ...snapshot.proxies.flatMap(({ listen }) => listen.interfaces),
    ...snapshot.interfaces.map(({ name }) => name),
  ])
  const present = withInterfaces(snapshot, (name) => byName.has(name))
  const attachments = resolveAttachments(present, { interfaces: devices, routes })
  const missing = [...named].filter((name) => !byName.has(name))
  return [
    ...missing.map((name) => describe(name, undefined, { error: `there is no interface ${name}` })),
    ...attachments.map((item) =>
      describe(item.name, byName.get(item.name), item, otherXdp(world, item.name, byName)),
    ),
  ]
}

function withInterfaces(snapshot: Snapshot, keep: (name: string) => boolean): Snapshot {
  return {
    ...snapshot,
    interfaces: snapshot.interfaces.filter(({ name }) => keep(name)),
    proxies: snapshot.proxies.map((proxy) => ({
      ...proxy,
      listen: { ...proxy.listen, interfaces: proxy.listen.interfaces.filter(keep) },
    })),
  }
}

function describe(
  name: string,
  device: NetInterface | undefined,
  attachment: InterfaceFacts['attachment'],
  other?: InterfaceFacts['otherXdp'],
): InterfaceFacts {
  return { name, device, attachment, forwarding: forwarding(name), rpFilter: rpFilter(name), otherXdp: other }
}

/** An XDP program on an interface, unless it is held by one of our own links. */
function otherXdp(
  { kernel, paths }: World,
  name: string,
  devices: ReadonlyMap<string, NetInterface>,
): InterfaceFacts['otherXdp'] {
  const program = devices.get(name)?.xdpProgram
  if (!program) return undefined
  using link = kernel.openLink(paths.link(name, program.mode))
  return link?.info.programId === program.id ? undefined : program
}

function targetFacts({ kernel: { net } }: World, snapshot: Snapshot): TargetFacts[] {
  const addresses = targetAddresses(snapshot)
  const routes = net.routes(addresses)
  const neighbours = new Map(net.neighbours().map((item) => [`${item.ifindex} ${item.ip}`, item.state]))
  return addresses.map((ip, i) => {
    const route = routes[i]
    const hop = route && `${route.ifindex} ${route.gateway ?? ip}`
    return { ip, route, neighbour: hop === undefined ? undefined : neighbours.get(hop) }
  })
}
