/** What is not done without a person looking. */
import { LbError } from '../model/errors.ts'
import type { ExecutablePlan } from '../model/plan.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { formatEndpoint } from '../model/ip.ts'

/** Fewer targets than this are always let go: small set-ups change wholesale. */
const GUARDED_TARGETS = 10
const GUARDED_SHARE = 0.3

/** @throws LbError `refused` where a plan removes more than 30 % of ten or more targets. */
export function guardRemovals({ base, desired }: ExecutablePlan): void {
  const before = targetsOf(base.snapshot)
  const after = targetsOf(desired.snapshot)
  const removed = [...before].filter((target) => !after.has(target)).length
  if (before.size < GUARDED_TARGETS || removed <= GUARDED_SHARE * before.size) return
  throw new LbError('refused', `the plan removes ${removed} of ${before.size} targets; nothing was changed`, {
    hint: 'if that is meant, add --force',
  })
}

function targetsOf({ proxies }: Snapshot): Set<string> {
  return new Set(
    proxies.flatMap(({ name, defaultTarget, sourceRoutes }) =>
      [...defaultTarget, ...sourceRoutes.flatMap(({ targets }) => targets)].map(
        ({ ip, port }) => `${name} ${formatEndpoint(ip, port)}`,
      ),
    ),
  )
}
