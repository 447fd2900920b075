/**
 * The maps that hold what is known of targets at run time. No program reads them, so they are no part of the
 * object file: they are made with the instance, and for instances from before there were any by the next writer.
 */
import { numberDeployment } from '../abi/numbering.ts'
import { RUNTIME_KEY_SIZE, RUNTIME_SIZE, WEIGHT_LOG_SIZE } from '../abi/runtime.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import type { World } from './world.ts'

const MAPS = [
  { name: 'runtime', valueSize: RUNTIME_SIZE },
  { name: 'weight_log', valueSize: WEIGHT_LOG_SIZE },
] as const

export type RuntimeMapName = (typeof MAPS)[number]['name']

/** Records for so many targets, and for as many that come and go. */
export function runtimeCapacity(targets: number): number {
  return Math.max(4096, 2 ** Math.ceil(Math.log2(2 * Math.max(1, targets))))
}

/** Targets of all lists; one that is in several of a proxy counts more than once. */
export function targetCount(deployment: Deployment): number {
  return numberDeployment(deployment).groups.reduce((sum, { targets }) => sum + targets.length, 0)
}

/** Makes the maps that are missing, and makes those larger that are too small for so many targets. */
export function ensureRuntimeMaps(world: World, targets: number): void {
  for (const { name, valueSize } of MAPS) {
    using map = world.kernel.openMap(world.paths.map(name))
    if (!map) pinNew(world, name, valueSize, runtimeCapacity(targets))[Symbol.dispose]()
    else if (map.info.maxEntries < targets) enlarge(world, map, name, runtimeCapacity(targets))
  }
}

/** For the caller to close; made where it is missing. */
export function openRuntimeMap(world: World, name: RuntimeMapName, targets: number): MapPort {
  const found = world.kernel.openMap(world.paths.map(name))
  if (found) return found
  const { valueSize } = MAPS.find((map) => map.name === name)!
  return pinNew(world, name, valueSize, runtimeCapacity(targets))
}

function pinNew(
  { kernel, paths }: World,
  name: string,
  valueSize: number,
  maxEntries: number,
  pin = name,
): MapPort {
  const map = kernel.createMap({
    type: 'hash',
    name,
    keySize: RUNTIME_KEY_SIZE,
    valueSize,
    maxEntries,
    flags: ['no-prealloc'],
  })
  try {
    map.pin(paths.map(pin))
    return map
  } catch (error) {
    map[Symbol.dispose]()
    throw error
  }
}

/** Nobody writes to them meanwhile: that takes the lock. */
function enlarge(world: World, old: MapPort, name: string, maxEntries: number): void {
  const { kernel, paths } = world
  using _lock = kernel.lock(paths.generations)
  const next = `${name}-next`
  kernel.fs.remove(paths.map(next))
  using larger = pinNew(world, name, old.info.valueSize, maxEntries, next)
  const { count, keys, values } = old.readAll()
  if (count > 0) larger.updateBatch(keys, values)
  kernel.fs.rename(paths.map(next), paths.map(name))
}
