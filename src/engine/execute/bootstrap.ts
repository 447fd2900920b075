/**
 * Makes an instance: everything that outlives generations. `active` is pinned last: without it the
 * instance does not exist, and what is there of it is swept away (recover.ts).
 */
import { LATER_MAPS, OUTER_TABLES, PROGRAM_NAMES, SHARED_MAPS } from '../live/pins.ts'
import type { ProgramName } from '../live/pins.ts'
import { SLOT_NONE } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { DataPlanePort, ProgramPort } from '../ports/kernel.ts'
import { u32, ZERO_KEY } from './keys.ts'
import { connTables, writeCurrentSet, writeMeta } from './meta.ts'
import type { World } from './world.ts'

/** Programs by the name of their pin. */
export const PROGRAMS = {
  xdp: 'lb_xdp',
  tc_ingress: 'lb_tc_ingress',
  tc_egress: 'lb_tc_egress',
  sweep_start: 'lb_sweep_start',
} as const satisfies Record<ProgramName, string>

/** Rows of backend_stats for so many backends: room to double before the map has to grow. */
export function backendCapacity(backends: number): number {
  return Math.max(4096, 2 ** Math.ceil(Math.log2(2 * Math.max(1, backends))))
}

export function bootstrap({ kernel, paths }: World, backends: number, maxConnections: number): void {
  for (const folder of [paths.root, `${paths.root}/tables`, paths.connFolder, paths.programFolder]) {
    kernel.fs.makeDirectory(folder)
  }
  for (const folder of [paths.linkFolder, paths.generations]) kernel.fs.makeDirectory(folder)
  const capacity = backendCapacity(backends)
  const tables = connTables(maxConnections)
  using plane = kernel.loadDataPlane({
    reuse: {},
    maxEntries: { backend_stats: capacity, backend_ids: capacity },
    connections: { current: 0, partitions: tables.partitions, otherPartitions: 0 },
  })
  using meta = plane.map('meta')
  writeMeta(meta, { backendCapacity: capacity, sha256: kernel.objectSha256 })
  writeCurrentSet(meta, 0, tables, 0)
  for (const table of OUTER_TABLES) pinMap(plane, table, paths.outer(table))
  for (const name of [...SHARED_MAPS, ...LATER_MAPS]) pinMap(plane, name, paths.map(name))
  for (const name of PROGRAM_NAMES) {
    using program = plane.program(PROGRAMS[name])
    program.pin(paths.program(name))
  }
  using active = plane.map('active')
  active.update(ZERO_KEY, u32(SLOT_NONE))
  using sweep = plane.program(PROGRAMS.sweep_start)
  startSweep(sweep)
  active.pin(paths.active)
}

/** The one write that decides which generation packets see. */
export function setActive({ kernel, paths }: World, slot: number): void {
  using active = kernel.openMap(paths.active)
  if (!active) throw new LbError('state', `${paths.active} is missing`)
  active.update(ZERO_KEY, u32(slot))
}

function pinMap(plane: DataPlanePort, name: string, path: string): void {
  using map = plane.map(name)
  map.pin(path)
}

/** Arms the timer by which the kernel forgets connections; it runs on without user space. */
export function startSweep(program: ProgramPort): void {
  const result = program.run()
  if (result !== 0)
    throw new LbError('kernel', `the timer that forgets connections did not start: ${result | 0}`)
}
