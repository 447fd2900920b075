/** Everything that a status needs, read from an instance's maps. */
import type { InstancePaths } from '../model/paths.ts'
import type { HostPort } from '../ports/host.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { pendingConfirmation } from '../model/confirmation.ts'
import { confirmationOfServing } from './confirmation.ts'
import { readBackendCounters } from './counters.ts'
import { listGenerations } from './generations.ts'
import { readLive } from './read.ts'
import { pendingRemovals } from './removals.ts'
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
    runtimes: readRuntimes(kernel, paths),
    counters: readBackendCounters(kernel, paths),
    confirmation: confirmation && pendingConfirmation(confirmation, clocks),
    removals: pendingRemovals(kernel, clocks, paths, live.slot),
    clocks,
  }
}
