/** The interfaces that the programs are attached to. */
import type { NetInterface } from '../model/host.ts'
import type { Finding } from '../model/finding.ts'
import type { Attachment } from '../model/snapshot.ts'
import type { InterfaceFacts } from './facts.ts'
import { failure, ok, shellWord, sysctlFix, warning } from './findings.ts'

/** `nativeXdp`: frames may be redirected by native XDP, from this interface or another. `ipv4`: it is in use. */
export interface InterfaceContext {
  readonly nativeXdp: boolean
  readonly ipv4: boolean
}

export function checkInterface(facts: InterfaceFacts, context: InterfaceContext): Finding[] {
  const { name, device, attachment } = facts
  const id = `interface:${name}`
  if (!device) {
    return [
      failure(
        id,
        `interface ${name} does not exist`,
        'The configuration names it, so no apply will succeed.',
      ),
    ]
  }
  if ('error' in attachment) return [failure(id, `interface ${name} cannot be used`, attachment.error)]
  const problems = [
    ...checkUp(device, attachment),
    ...checkMode(device, attachment),
    ...checkOtherXdp(facts, attachment),
    ...checkTransmit(attachment, context),
    ...checkLro(device, attachment),
    ...checkReversePath(facts, attachment, context),
  ]
  return [ok(id, `interface ${name}: ${describe(device, attachment)}`), ...problems]
}

function describe({ driver, mtu }: NetInterface, { attach, mode, roles }: Attachment): string {
  const chosen = attach === mode ? mode : `${mode} (${attach})`
  return [chosen, driver === '' ? 'driver unknown' : driver, `MTU ${mtu}`, roles.join(' and ')]
    .filter((part) => part !== '')
    .join(', ')
}

function checkUp({ name, up }: NetInterface, { roles }: Attachment): Finding[] {
  if (up) return []
  const id = `interface-down:${name}`
  const fix = `ip link set dev ${shellWord(name)} up`
  if (roles.includes('listen') || roles.includes('backend')) {
    return [failure(id, `interface ${name} is down`, 'No packet comes in or goes out by it.', fix)]
  }
  return [
    warning(id, `interface ${name} is down`, 'The configuration names it, but no traffic needs it.', fix),
  ]
}

function checkMode({ name, driver, xdp }: NetInterface, { mode, roles }: Attachment): Finding[] {
  const id = `attach:${name}`
  if (mode === 'none') {
    if (!roles.includes('listen')) return []
    const detail = 'Its attach is none: proxies that listen on it get no packets.'
    return [warning(id, `interface ${name} listens without a program`, detail)]
  }
  if (mode === 'xdp-generic') {
    const detail =
      'It runs after the kernel has built a packet buffer, as tcx does, and copies more: tcx is faster.'
    return [warning(id, `generic XDP on ${name} is slow`, detail)]
  }
  if (mode !== 'xdp') return []
  if (driver === 'veth') {
    const detail =
      'XDP on veth switches off segmentation offload, which costs most of the throughput: tcx is faster.'
    return [warning(id, `XDP on ${name} slows a veth device down`, detail)]
  }
  if (xdp && !xdp.native) {
    const detail = `The driver (${driver}) has no XDP, so attaching will fail: set attach to auto or tcx.`
    return [failure(id, `interface ${name} has no native XDP`, detail)]
  }
  if (xdp && !xdp.redirect) {
    const detail = `The driver (${driver}) has XDP without redirection, so packets cannot be sent on: set attach to auto or tcx.`
    return [failure(id, `interface ${name} cannot redirect by XDP`, detail)]
  }
  return []
}

function checkOtherXdp({ name, otherXdp }: InterfaceFacts, { mode }: Attachment): Finding[] {
  if (!otherXdp || mode === 'none') return []
  const id = `other-xdp:${name}`
  const title = `another XDP program (id ${otherXdp.id}) is on ${name}`
  const off = otherXdp.mode === 'xdp' ? 'xdpdrv' : 'xdpgeneric'
  const fix = `ip link set dev ${shellWord(name)} ${off} off`
  if (mode === 'tcx') {
    return [warning(id, title, 'It sees every packet before lb does, and may drop or divert it.', fix)]
  }
  return [failure(id, title, 'An interface takes one XDP program, so attaching will fail.', fix)]
}

/** Only redirection by native XDP needs the driver's help at the way out. */
function checkTransmit(
  { name, mode, roles, xdpXmit }: Attachment,
  { nativeXdp }: InterfaceContext,
): Finding[] {
  const used = roles.includes('listen') || roles.includes('backend')
  if (!nativeXdp || xdpXmit || !used || mode === 'none') return []
  return [
    warning(
      `xdp-transmit:${name}`,
      `XDP cannot send through ${name}`,
      'Its driver takes no redirected frames: packets that leave by it are handed to the kernel, which is slower.',
    ),
  ]
}

function checkLro({ name, offloads }: NetInterface, { mode }: Attachment): Finding[] {
  if (!offloads['lro'] || mode === 'none') return []
  return [
    warning(
      `lro:${name}`,
      `large receive offload is on for ${name}`,
      'The card merges packets for good; what is merged cannot be forwarded as it came, and may be dropped.',
      `ethtool -K ${shellWord(name)} lro off`,
    ),
  ]
}

function checkReversePath(
  { name, rpFilter }: InterfaceFacts,
  { mode }: Attachment,
  { ipv4 }: InterfaceContext,
): Finding[] {
  if (rpFilter !== 1 || !ipv4 || mode === 'none') return []
  return [
    warning(
      `rp-filter:${name}`,
      `the reverse path filter of ${name} is strict`,
      'Packets that lb hands to the kernel are dropped where the route back to their source is by another interface.',
      sysctlFix('ipv4', name, 'rp_filter', 2),
    ),
  ]
}
