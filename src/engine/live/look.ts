/** Everything that a status needs, read from an instance's maps. */
import type { InstancePaths } from '../model/paths.ts'
import type { Snapshot } from '../model/snapshot.ts'
import type { HostPort } from '../ports/host.ts'
import type { KernelPort } from '../ports/kernel.ts'
import type { Runtimes } from '../abi/runtime.ts'
import { observeConnections } from '../drain/drain.ts'
import { pendingConfirmation } from '../model/confirmation.ts'
import { confirmationOfServing } from './confirmation.ts'
import { readBackendCounters } from './counters.ts'
import { listGenerations } from './generations.ts'
import { readLive } from './read.ts'
import { pendingRemovals } from './removals.ts'
import { openConnections } from './open-connections.ts'
import { readRuntimes } from './runtime.ts'
import type { StatusFacts } from './status.ts'

export interface Looked {
  readonly kernel: KernelPort
  readonly host: HostPort
  readonly instance: string
  readonly paths: InstancePaths
}

export function readStatus({ kernel, host, instance, paths }: Looked): StatusFacts {
  const { live } = readLive(kernel, host, instance, paths)
  const clocks = host.clocks()
  const confirmation = confirmationOfServing(kernel, paths)
  const records = live.generation === 0 ? [] : listGenerations(kernel, host, paths, live.slot)
  return {
    live,
    provenance: records.find(({ active }) => active)?.provenance,
    runtimes: withDrainsSeen(kernel, paths, live.deployment.snapshot, clocks.monotonic),
    counters: readBackendCounters(kernel, paths),
    confirmation: confirmation && pendingConfirmation(confirmation, clocks),
    removals: pendingRemovals(kernel, clocks, paths, live.slot),
    clocks,
  }
}

/**
 * What is known of targets, with drains as they are now: where no daemon runs and nobody waits, what the map says of
 * them is what was known when somebody looked last. To look writes nothing.
 */
function withDrainsSeen(kernel: KernelPort, paths: InstancePaths, snapshot: Snapshot, now: number): Runtimes {
  const runtimes = readRuntimes(kernel, paths)
  const draining = [...runtimes].filter(([, { runtime }]) => runtime.drain.state === 'draining')
  if (draining.length === 0) return runtimes
  const connectionsOf = openConnections(kernel, paths, snapshot)
  const seen = draining.map(([id, { key, runtime }]) => {
    const drain = observeConnections(runtime.drain, now, connectionsOf(key))
    return [id, { key, runtime: { ...runtime, drain } }] as const
  })
  return new Map([...runtimes, ...seen])
}
