/**
 * Forwarding, of the families that it is needed for. Where it is off on the interface that a packet comes
 * in by, bpf_fib_lookup() answers BPF_FIB_LKUP_RET_FWD_DISABLED and the kernel drops the packet too.
 */
import type { Finding } from '../model/finding.ts'
import type { Family } from '../model/snapshot.ts'
import { forwardedFamilies } from './facts.ts'
import type { DoctorFacts, InterfaceFacts } from './facts.ts'
import { failure, ok, sysctlFix } from './findings.ts'

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const
const SWITCHES = { ipv4: 'net.ipv4.ip_forward', ipv6: 'net.ipv6.conf.all.forwarding' } as const

export function checkForwarding(facts: DoctorFacts): Finding[] {
  const families = forwardedFamilies(facts.targets)
  const used = (['ipv4', 'ipv6'] as const).filter((family) => families.has(family))
  return used.flatMap((family) => checkFamily(facts, family))
}

function checkFamily({ forwarding, interfaces }: DoctorFacts, family: Family): Finding[] {
  const id = `forwarding-${family}`
  const attached = interfaces.filter(isUsed)
  const off = attached.filter((item) => !item.forwarding[family])
  if (off.length === 0 && (attached.length > 0 || forwarding[family])) {
    return [ok(id, `${NAMES[family]} forwarding is on`)]
  }
  const detail =
    'Packets for targets on other hosts go nowhere: neither the programs nor the kernel send them on.'
  if (forwarding[family]) {
    return off.map(({ name }) =>
      failure(
        `${id}:${name}`,
        `${NAMES[family]} forwarding is off on ${name}`,
        detail,
        sysctlFix(family, name, 'forwarding', 1),
      ),
    )
  }
  const caveat =
    family === 'ipv6' ? ' With it on, interfaces take router advertisements only where accept_ra is 2.' : ''
  return [
    failure(
      id,
      `${NAMES[family]} forwarding is off`,
      `${detail}${caveat}`,
      `sysctl -w ${SWITCHES[family]}=1`,
    ),
  ]
}

function isUsed({ device, attachment }: InterfaceFacts): boolean {
  if (!device || 'error' in attachment || attachment.mode === 'none') return false
  return attachment.roles.includes('listen') || attachment.roles.includes('backend')
}
