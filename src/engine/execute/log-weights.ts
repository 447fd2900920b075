/** The histories of targets' weights: what an apply or a rollback changes of them. */
import { appendChange, encodeRuntimeKey, targetId } from '../abi/runtime.ts'
import type { Runtimes } from '../abi/runtime.ts'
import { effectiveGroup, groupsByProxy, isReduced, reducedProxies, runtimeIn } from '../abi/selection.ts'
import { readRuntimes } from '../live/runtime.ts'
import type { TargetKey, WeightCause, WeightChange } from '../model/runtime.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import { openRuntimeMap, targetCount } from './runtime-maps.ts'
import type { World } from './world.ts'

export function logWeight(logs: MapPort, key: TargetKey, change: WeightChange): void {
  const bytes = encodeRuntimeKey(key)
  logs.update(bytes, appendChange(logs.lookup(bytes), change))
}

interface Weight {
  readonly key: TargetKey
  readonly factor: number
  readonly cause: WeightCause
}

/**
 * What going from one deployment to another has changed for targets that both have: a drain that is configured, or
 * who is left in a list.
 */
export function logTransition(world: World, from: Deployment, to: Deployment): void {
  const { kernel, paths, host } = world
  using _lock = kernel.lock(paths.generations)
  const runtimes = readRuntimes(kernel, paths)
  if (!isReduced(from, runtimes) && !isReduced(to, runtimes)) return
  const proxies = new Set([...reducedProxies(from, runtimes), ...reducedProxies(to, runtimes)])
  const before = weightsOf(from, proxies, runtimes)
  const after = weightsOf(to, proxies, runtimes)
  using logs = openRuntimeMap(world, 'weight_log', targetCount(to))
  for (const [id, { key, factor, cause }] of after) {
    const was = before.get(id)?.factor ?? factor
    if (was !== factor) logWeight(logs, key, { at: host.monotonicMs(), from: was, to: factor, cause })
  }
}

/** Of a target that is in several lists of its proxy, that in the first of them. */
function weightsOf(
  deployment: Deployment,
  proxies: ReadonlySet<string>,
  runtimes: Runtimes,
): Map<string, Weight> {
  const weights = new Map<string, Weight>()
  for (const proxy of proxies) {
    for (const row of groupsByProxy(deployment).get(proxy)?.rows ?? []) {
      const { keys, shares } = effectiveGroup(deployment, row, runtimeIn(runtimes))
      for (const [i, key] of keys.entries()) {
        const id = targetId(key)
        if (!weights.has(id)) weights.set(id, { key, ...shares[i]! })
      }
    }
  }
  return weights
}
