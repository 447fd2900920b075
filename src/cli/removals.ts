/** What a plan does to the connections of the targets that it removes. */
import { identityOf } from '../engine/abi/compile.ts'
import type { World } from '../engine/execute/world.ts'
import { readConnRecords } from '../engine/live/connections.ts'
import { readBackendCounters } from '../engine/live/counters.ts'
import { countEach } from '../engine/live/removals.ts'
import { activeConnections, NO_COUNTERS } from '../engine/model/counters.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import type { PlannedRemoval, RemovedTarget } from '../engine/model/removal.ts'
import { removedTargets, wantedBy } from '../engine/plan/removals.ts'

/** Of targets that have connections now. Those that the plan leaves to another proxy on the same listener are not removed. */
export function removalsOf(
  { kernel, paths }: World,
  { plan, base, desired }: ExecutablePlan,
): PlannedRemoval[] {
  const mayRemove = plan.changes.some(
    ({ action, address }) =>
      action === 'delete' || (action === 'update' && address.includes('.sourceRoute[')),
  )
  const removed = mayRemove ? removedTargets(base, desired) : []
  if (removed.length === 0) return []
  const counters = readBackendCounters(kernel, paths)
  const hasAny = ({ ip, port, listener }: RemovedTarget): boolean => {
    const counted = counters.get(identityOf(ip, port, listener.protocol))
    return activeConnections(counted?.counters ?? NO_COUNTERS) > 0
  }
  const wanted = wantedBy(desired.snapshot)
  const used = removed.filter((target) => hasAny(target) && !wanted.has(target))
  if (used.length === 0) return []
  const spared = used.flatMap((target) =>
    wanted
      .exceptions(target)
      .map((address): RemovedTarget => ({ ...target, listener: { ...target.listener, address } })),
  )
  const counts = countEach(readConnRecords(kernel, paths), used, spared)
  return used
    .map((target, i): PlannedRemoval => ({ ...target, connections: counts[i]! }))
    .filter(({ connections }) => connections > 0)
}
