/**
 * Replaces the running programs, between two packets of each hook, keeping every map: connections
 * do not notice. Also how `backend_stats`, which programs reach directly, is made larger: longer for more
 * backends, wider for programs that count more.
 */
import { structSize } from '../abi/struct.ts'
import { sameBytes } from '../abi/tables.ts'
import { readConnSets } from '../live/conn-sets.ts'
import { LATER_MAPS, OUTER_TABLES, PROGRAM_NAMES, SHARED_MAPS } from '../live/pins.ts'
import type { ProgramName } from '../live/pins.ts'
import { LbError } from '../model/errors.ts'
import type { ConnSets, DataPlanePort, MapPort, ProgramPort } from '../ports/kernel.ts'
import { backendCapacity, PROGRAMS, startSweep } from './bootstrap.ts'
import { ZERO_KEY } from './keys.ts'
import { metaRow, openMeta, writeMeta } from './meta.ts'
import { runUndo } from './restore.ts'
import type { Undo } from './restore.ts'
import type { World } from './world.ts'

/**
 * Upgrades where the pinned programs are of another object, or too small for `backends`. A dry run
 * loads the new ones, and leaves it at that.
 */
export function upgradePrograms(world: World, backends: number, dryRun: boolean): string | undefined {
  const { kernel, paths } = world
  using meta = openMeta(world)
  // One of them may be larger, where growing was interrupted.
  const rows = Math.min(...roomIn(world, RESIZED))
  const grow = backends > rows
  const same =
    sameBytes(metaRow(meta).slice(0, 'object_sha256'), kernel.objectSha256) && absentMaps(world).length === 0
  if (same && !grow) return undefined
  const wanted = grow ? Math.max(2 * rows, backendCapacity(backends)) : Math.max(...roomIn(world, COUNTERS))
  const replaced = grow ? RESIZED : countersFit(world) ? [] : COUNTERS
  const reuse = openReused(world, replaced)
  try {
    using plane = kernel.loadDataPlane({
      reuse,
      maxEntries: Object.fromEntries(replaced.map((name) => [name, wanted])),
      connections: readConnSets(kernel, paths).sets,
    })
    if (dryRun) return 'new programs load'
    replacePrograms(world, plane, meta, replaced, wanted)
  } finally {
    closeAll(Object.values(reuse))
  }
  return grow ? `room for ${wanted} backends` : 'programs of this version of lb'
}

/** The same programs, told of other sets of connection tables. */
export function reloadPrograms(world: World, connections: ConnSets): void {
  using meta = openMeta(world)
  const reuse = openReused(world, [])
  try {
    using plane = world.kernel.loadDataPlane({ reuse, maxEntries: {}, connections })
    replacePrograms(world, plane, meta, [], metaRow(meta).get(0, 'backend_capacity'))
  } finally {
    closeAll(Object.values(reuse))
  }
}

const COUNTERS: readonly string[] = ['backend_stats']
const RESIZED: readonly string[] = [...COUNTERS, 'backend_ids']
/** In the place of a hash while programs of two objects run: no object has it, so the next plan upgrades. */
const BETWEEN = new Uint8Array(32)

/** How many backends each of the maps has room for. */
function roomIn({ kernel, paths }: World, names: readonly string[]): number[] {
  return names.map((name) => {
    using map = kernel.openMap(paths.map(name))
    return map?.info.maxEntries ?? 0
  })
}

/** Maps that these programs use and that the instance is yet to have. */
function absentMaps({ kernel, paths }: World): string[] {
  const here = new Set(kernel.fs.list(paths.root))
  return LATER_MAPS.filter((name) => !here.has(name))
}

/** Whether these programs count what the pinned counters have room for. */
function countersFit({ kernel, paths }: World): boolean {
  using stats = kernel.openMap(paths.map('backend_stats'))
  return !stats || stats.info.valueSize === structSize('lb_backend_stats')
}

/** All or none: what fails is taken back, also from hooks that run the new programs already. */
function replacePrograms(
  world: World,
  plane: DataPlanePort,
  meta: MapPort,
  replaced: readonly string[],
  backendCapacity: number,
): void {
  const before = meta.lookup(ZERO_KEY) ?? new Uint8Array()
  const old: Disposable[] = []
  const undo: Undo = [() => meta.update(ZERO_KEY, before)]
  try {
    writeMeta(meta, { backendCapacity, sha256: BETWEEN })
    for (const name of absentMaps(world)) {
      undo.push(() => world.kernel.fs.remove(world.paths.map(name)))
      using map = plane.map(name)
      map.pin(world.paths.map(name))
    }
    const maps = replaced.map((name) => [name, copyMap(world, plane, name, old)] as const)
    for (const name of PROGRAM_NAMES) {
      const known = world.kernel.openProgram(world.paths.program(name))
      if (known) {
        old.push(known)
        undo.push(() => swapProgram(world, known, name))
      }
      using program = plane.program(PROGRAMS[name])
      swapProgram(world, program, name)
    }
    for (const [name, known] of maps) {
      undo.push(() => replacePin(world, known, world.paths.map(name)))
      using map = plane.map(name)
      replacePin(world, map, world.paths.map(name))
    }
    writeMeta(meta, { backendCapacity, sha256: world.kernel.objectSha256 })
  } catch (error) {
    runUndo(undo)
    throw error
  } finally {
    closeAll(old)
  }
}

/** Every map that the new programs go on with, for the caller to close. */
function openReused(world: World, resized: readonly string[]): Record<string, MapPort> {
  const { kernel, paths } = world
  const others = [...resized, ...absentMaps(world)]
  const shared = [...SHARED_MAPS, ...LATER_MAPS].filter((name) => !others.includes(name))
  const places: readonly (readonly [string, string])[] = [
    ...OUTER_TABLES.map((name) => [name, paths.outer(name)] as const),
    ...shared.map((name) => [name, paths.map(name)] as const),
    ['active', paths.active],
  ]
  const opened: Record<string, MapPort> = {}
  try {
    for (const [name, path] of places) {
      const map = kernel.openMap(path)
      if (!map) throw new LbError('state', `${path} is missing`)
      opened[name] = map
    }
    return opened
  } catch (error) {
    closeAll(Object.values(opened))
    throw error
  }
}

function closeAll(items: readonly Disposable[]): void {
  for (const item of items) item[Symbol.dispose]()
}

/** Carries what the old map holds over into the new, larger one, whose values may have more at their end. Gives the old one, which `opened` closes. */
function copyMap(
  { kernel, paths }: World,
  plane: DataPlanePort,
  name: string,
  opened: Disposable[],
): MapPort {
  const from = kernel.openMap(paths.map(name))
  if (!from) throw new LbError('state', `${paths.map(name)} is missing`)
  opened.push(from)
  using to = plane.map(name)
  const { keys, values, count } = from.readAll()
  if (count > 0) to.updateBatch(keys, widen(values, from.info.valueSize, to.info.valueSize))
  return from
}

/** Values one after the other; those of a per-CPU map are all of whole words, so that padding is no concern. */
function widen(values: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return values
  const count = values.length / from
  const wide = new Uint8Array(count * to)
  for (let i = 0; i < count; i++) wide.set(values.subarray(i * from, (i + 1) * from), i * to)
  return wide
}

/** Puts a program on every hook that it serves, and in the place of the pinned one. */
function swapProgram(world: World, program: ProgramPort, name: ProgramName): void {
  const { kernel, paths } = world
  for (const pin of kernel.fs.list(paths.linkFolder) ?? []) {
    if (!servedBy(pin, name)) continue
    using link = kernel.openLink(`${paths.linkFolder}/${pin}`)
    link?.update(program)
  }
  replacePin(world, program, paths.program(name))
  if (name === 'sweep_start') startSweep(program)
}

function replacePin({ kernel }: World, object: MapPort | ProgramPort, path: string): void {
  kernel.fs.remove(`${path}-next`)
  object.pin(`${path}-next`)
  kernel.fs.rename(`${path}-next`, path)
}

/** Whether the link pinned as `eth0:tcx-egress` runs the program of that name. */
function servedBy(pin: string, name: ProgramName): boolean {
  const hook = pin.slice(pin.lastIndexOf(':') + 1)
  return hook.replace('tcx-', 'tc_').replace('xdp-generic', 'xdp') === name
}
