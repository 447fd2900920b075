/** What is known of targets goes with the last loaded generation that has them. */
import { numberDeployment } from '../abi/numbering.ts'
import { decodeRuntimeKey, RUNTIME_KEY_SIZE, targetId } from '../abi/runtime.ts'
import { generationFolders, readManifest } from '../live/generations.ts'
import { LbError } from '../model/errors.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import type { World } from './world.ts'

/** Deletes records and histories of targets that neither `active` nor another loaded generation has; how many records. */
export function forgetTargets(world: World, active: Deployment): number {
  const { kernel, paths } = world
  using _lock = kernel.lock(paths.generations)
  using records = kernel.openMap(paths.runtime)
  using logs = kernel.openMap(paths.weightLog)
  const maps = [records, logs].filter((map) => map !== undefined)
  const known = maps.map((map) => keysOf(map))
  if (known.every(({ size }) => size === 0)) return 0
  // Most often all are those of the generation that serves, and no other one has to be read.
  for (const id of idsOf(active)) for (const keys of known) keys.delete(id)
  if (known.every(({ size }) => size === 0)) return 0
  for (const { path, header } of generationFolders(kernel, paths)) {
    if (!header) continue
    const deployment = deploymentOf(world, path)
    if (!deployment) return 0
    for (const id of idsOf(deployment)) for (const keys of known) keys.delete(id)
  }
  for (const [i, map] of maps.entries()) for (const key of known[i]!.values()) map.delete(key)
  return known[0]?.size ?? 0
}

/** By `targetId`; the mark of a change under way is no target's. */
function keysOf(map: MapPort): Map<string, Uint8Array> {
  const { count, keys } = map.readAll()
  const found = new Map<string, Uint8Array>()
  for (let row = 0; row < count; row++) {
    const bytes = keys.subarray(row * RUNTIME_KEY_SIZE, (row + 1) * RUNTIME_KEY_SIZE)
    const key = decodeRuntimeKey(bytes)
    if (key) found.set(targetId(key), bytes)
  }
  return found
}

function* idsOf(deployment: Deployment): Generator<string> {
  const { proxies } = deployment.snapshot
  for (const { proxy, protocol, targets } of numberDeployment(deployment).groups) {
    for (const { ip, port } of targets) yield targetId({ proxy: proxies[proxy]!.name, ip, port, protocol })
  }
}

/** `undefined` where it cannot be told what a generation has. */
function deploymentOf({ kernel, host }: World, path: string): Deployment | undefined {
  try {
    return readManifest(kernel, host, path).deployment
  } catch (error) {
    if (error instanceof LbError && error.code === 'state') return undefined
    throw error
  }
}
