/** Seeing a drain through: what the daemon does, where none runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { observeConnections } from '../engine/drain/drain.ts'
import { updateRuntime } from '../engine/execute/runtime.ts'
import type { World } from '../engine/execute/world.ts'
import { openConnections } from '../engine/live/open-connections.ts'
import { readRuntime } from '../engine/live/runtime.ts'
import type { TargetRuntime } from '../engine/model/runtime.ts'
import type { NamedTarget } from './targets.ts'

export interface DrainProgress {
  readonly drain: TargetRuntime['drain']
  readonly connections: number
}

/** Notes how many connections are left, and what follows from that. */
export function lookAtDrain(world: World, { key, deployment }: NamedTarget): DrainProgress {
  const { kernel, paths, host } = world
  const connections = openConnections(kernel, paths, deployment.snapshot)(key)
  const [update] = updateRuntime(world, [key], (old) => ({
    ...old,
    drain: observeConnections(old.drain, host.monotonicMs(), connections),
  }))
  const { drain } = update?.after ?? readRuntime(kernel, paths, key)
  return { drain, connections }
}

/** Resolves when the drain is over, one way or the other. */
export async function waitForDrain(
  world: World,
  target: NamedTarget,
  onLook: (progress: DrainProgress) => void,
): Promise<DrainProgress> {
  const { drainCheckIntervalMs } = target.deployment.snapshot.settings
  for (;;) {
    const progress = lookAtDrain(world, target)
    if (progress.drain.state !== 'draining') return progress
    onLook(progress)
    const { deadline } = progress.drain
    const left = deadline === 0 ? drainCheckIntervalMs : Math.max(1, deadline - world.host.monotonicMs())
    await sleep(Math.min(drainCheckIntervalMs, left))
  }
}
