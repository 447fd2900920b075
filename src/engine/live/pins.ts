/** What an instance has to have pinned, besides its generations. */
import { TABLE_NAMES } from '../abi/tables.ts'
import { LbError } from '../model/errors.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { KernelPort } from '../ports/kernel.ts'

export const OUTER_TABLES: readonly string[] = [...TABLE_NAMES, 'manifest']

/** Maps of the object that are pinned in the instance's folder under their own name. */
export const SHARED_MAPS = [
  'conn4',
  'conn6',
  'conn_locks',
  'conn_totals',
  'backend_stats',
  'backend_ids',
  'reasons',
  'sweep',
  'meta',
] as const

/** Like these, but instances of older versions do not have them: the next upgrade of their programs makes them. */
export const LATER_MAPS = ['removed'] as const

export const PROGRAM_NAMES = ['xdp', 'tc_ingress', 'tc_egress', 'sweep_start'] as const
export type ProgramName = (typeof PROGRAM_NAMES)[number]

/**
 * Without any of these the running programs may go on, but they cannot be changed any more, and
 * without the pin of `sweep` the kernel stops its timer.
 * @throws LbError `state`, naming the first that is missing
 */
export function requirePins({ fs }: KernelPort, paths: InstancePaths): void {
  const here = new Set(fs.list(paths.root))
  const shared = SHARED_MAPS.find((name) => !here.has(name))
  if (shared !== undefined) throw missingPin(paths.map(shared))
  const tables = new Set(fs.list(paths.map('tables')))
  const outer = OUTER_TABLES.find((name) => !tables.has(name))
  if (outer !== undefined) throw missingPin(paths.outer(outer))
  const programs = new Set(fs.list(paths.programFolder))
  const program = PROGRAM_NAMES.find((name) => !programs.has(name))
  if (program !== undefined) throw missingPin(paths.program(program))
}

/** Nothing is attached before `active` is pinned. */
export function isAttached({ fs }: KernelPort, paths: InstancePaths): boolean {
  return (fs.list(paths.linkFolder) ?? []).length > 0
}

export function missingPin(path: string): LbError {
  return new LbError('state', `${path} is missing, but other pins of the instance are there`, {
    hint: 'the instance is damaged: `lb destroy` removes what is left of it, `lb apply` starts anew',
  })
}
