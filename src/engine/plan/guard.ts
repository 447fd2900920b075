/** What is not done without a person looking. */
import { LbError } from '../model/errors.ts'
import type { ExecutablePlan } from '../model/plan.ts'
import type { Deployment, Snapshot } from '../model/snapshot.ts'
import { formatEndpoint } from '../model/ip.ts'
import { differing } from './differing.ts'

/** Fewer targets than this are always let go: small set-ups change wholesale. */
const GUARDED_TARGETS = 10
const GUARDED_SHARE = 0.3

/** @throws LbError `refused` where a plan removes more than 30 % of ten or more targets. */
export function guardRemovals({ base, desired }: ExecutablePlan): void {
  const removed = countRemoved(base, desired)
  if (removed === 0) return
  const all = targetsOf(base.snapshot.proxies).size
  if (all < GUARDED_TARGETS || removed <= GUARDED_SHARE * all) return
  throw new LbError('refused', `the plan removes ${removed} of ${all} targets; nothing was changed`, {
    hint: 'if that is meant, add --force',
  })
}

/** Only proxies that differ can lose targets, and mostly those are few. */
function countRemoved(base: Deployment, desired: Deployment): number {
  const [before] = differing(base, desired)
  const changed = new Set(before.snapshot.proxies.map(({ name }) => name))
  const ofChanged = ({ snapshot }: Deployment): Set<string> =>
    targetsOf(snapshot.proxies.filter(({ name }) => changed.has(name)))
  const after = ofChanged(desired)
  return [...ofChanged(base)].filter((target) => !after.has(target)).length
}

function targetsOf(proxies: Snapshot['proxies']): Set<string> {
  return new Set(
    proxies.flatMap(({ name, defaultTarget, sourceRoutes }) =>
      [...defaultTarget, ...sourceRoutes.flatMap(({ targets }) => targets)].map(
        ({ ip, port }) => `${name} ${formatEndpoint(ip, port)}`,
      ),
    ),
  )
}
