/** Facts → findings. */
import type { Finding } from '../model/finding.ts'
import { familyOf } from '../model/ip.ts'
import type { DoctorFacts } from './facts.ts'
import { checkForwarding } from './forwarding.ts'
import { checkInterface } from './interfaces.ts'
import { checkSystem } from './system.ts'
import { checkTargets } from './targets.ts'

/** In a fixed order: the kernel, interfaces, forwarding, targets. */
export function check(facts: DoctorFacts): Finding[] {
  const { interfaces, targets } = facts
  const context = {
    nativeXdp: interfaces.some(({ attachment }) => !('error' in attachment) && attachment.mode === 'xdp'),
    ipv4: targets.some(({ ip }) => familyOf(ip) === 'ipv4'),
  }
  return [
    ...checkSystem(facts),
    ...interfaces.flatMap((item) => checkInterface(item, context)),
    ...checkForwarding(facts),
    ...checkTargets(targets),
  ]
}
