/**
 * Replaces the running programs, between two packets of each hook, keeping every map: connections
 * do not notice. Also how `backend_stats`, which programs reach directly, is made larger.
 */
import { rowsOver } from '../abi/struct.ts'
import { LbError } from '../model/errors.ts'
import type { DataPlanePort, MapPort } from '../ports/kernel.ts'
import {
  backendCapacity,
  OUTER_TABLES,
  PROGRAM_NAMES,
  PROGRAMS,
  SHARED_MAPS,
  startSweep,
  writeMeta,
  ZERO_KEY,
} from './bootstrap.ts'
import type { ProgramName } from './bootstrap.ts'
import type { World } from './world.ts'

/**
 * Upgrades where the pinned programs are of another object, or too small for `backends`. A dry run
 * loads the new ones, and leaves it at that.
 */
export function upgradePrograms(world: World, backends: number, dryRun: boolean): string | undefined {
  const { kernel, paths } = world
  using meta = kernel.openMap(paths.meta)
  const row = rowsOver('lb_meta', meta?.lookup(ZERO_KEY) ?? new Uint8Array())
  const capacity = row.get(0, 'backend_capacity')
  const grow = backends > capacity
  const same = row.slice(0, 'object_sha256').every((byte, i) => byte === kernel.objectSha256[i])
  if (!meta || (same && !grow)) return undefined
  const wanted = grow ? backendCapacity(backends) : capacity
  replacePrograms(world, grow ? wanted : undefined, dryRun)
  if (dryRun) return 'new programs load'
  writeMeta(meta, { backendCapacity: wanted, sha256: kernel.objectSha256 })
  return grow ? `room for ${wanted} backends` : 'programs of this version of lb'
}

function replacePrograms(world: World, grow: number | undefined, dryRun: boolean): void {
  const { kernel, paths } = world
  const resized = grow === undefined ? [] : ['backend_stats', 'backend_ids']
  const reuse = openReused(world, resized)
  try {
    using plane = kernel.loadDataPlane({
      reuse,
      maxEntries: Object.fromEntries(resized.map((name) => [name, grow ?? 0])),
      connPartitions: connPartitions(reuse['meta']),
    })
    if (dryRun) return
    for (const name of resized) copyMap(world, plane, name)
    for (const name of PROGRAM_NAMES) swapProgram(world, plane, name)
    for (const name of resized) kernel.fs.rename(paths.map(`${name}-next`), paths.map(name))
    startSweep(plane)
  } finally {
    for (const map of Object.values(reuse)) map[Symbol.dispose]()
  }
}

/** Every map that the new programs go on with, for the caller to close. */
function openReused({ kernel, paths }: World, resized: readonly string[]): Record<string, MapPort> {
  const places: readonly (readonly [string, string])[] = [
    ...OUTER_TABLES.map((name) => [name, paths.outer(name)] as const),
    ...SHARED_MAPS.filter((name) => !resized.includes(name)).map((name) => [name, paths.map(name)] as const),
    ['active', paths.active],
  ]
  const opened: Record<string, MapPort> = {}
  for (const [name, path] of places) {
    const map = kernel.openMap(path)
    if (map) {
      opened[name] = map
    } else {
      for (const other of Object.values(opened)) other[Symbol.dispose]()
      throw new LbError('state', `${path} is missing`)
    }
  }
  return opened
}

function connPartitions(meta: MapPort | undefined): number {
  return rowsOver('lb_meta', meta?.lookup(ZERO_KEY) ?? new Uint8Array()).get(0, 'conn_partitions')
}

/** Carries what the old map holds over into the new, larger one. */
function copyMap({ kernel, paths }: World, plane: DataPlanePort, name: string): void {
  using from = kernel.openMap(paths.map(name))
  using to = plane.map(name)
  if (!from) throw new LbError('state', `${paths.map(name)} is missing`)
  const { keys, values, count } = from.readAll()
  if (count > 0) to.updateBatch(keys, values)
  kernel.fs.remove(paths.map(`${name}-next`))
  to.pin(paths.map(`${name}-next`))
}

function swapProgram(world: World, plane: DataPlanePort, name: ProgramName): void {
  const { kernel, paths } = world
  using program = plane.program(PROGRAMS[name])
  const next = paths.program(`${name}-next`)
  kernel.fs.remove(next)
  program.pin(next)
  for (const pin of kernel.fs.list(paths.linkFolder) ?? []) {
    if (!servedBy(pin, name)) continue
    using link = kernel.openLink(`${paths.linkFolder}/${pin}`)
    link?.update(program)
  }
  kernel.fs.rename(next, paths.program(name))
}

/** Whether the link pinned as `eth0:tcx-egress` runs the program of that name. */
function servedBy(pin: string, name: ProgramName): boolean {
  const hook = pin.slice(pin.lastIndexOf(':') + 1)
  return hook.replace('tcx-', 'tc_').replace('xdp-generic', 'xdp') === name
}
