/** How many connections of a target are not over: what a drain waits for. */
import { formatEndpoint } from '../model/ip.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { TargetKey } from '../model/runtime.ts'
import type { Snapshot } from '../model/snapshot.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { readConnRecords, reportConnections } from './connections.ts'

/**
 * One look at all records, then asked for any number of targets. Records are counted by proxy, because two may
 * share a backend; those of a listener that is gone are nobody's.
 */
export function openConnections(
  kernel: KernelPort,
  paths: InstancePaths,
  snapshot: Snapshot,
): (key: TargetKey) => number {
  const { counts } = reportConnections(readConnRecords(kernel, paths), snapshot, { limit: 0, open: true }, 0)
  const known = new Map(counts.map(({ proxy, target, connections }) => [`${target} ${proxy}`, connections]))
  return ({ proxy, ip, port }) => known.get(`${formatEndpoint(ip, port)} ${proxy}`) ?? 0
}
