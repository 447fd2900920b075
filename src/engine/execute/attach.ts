/** Puts programs on hooks and takes them off. */
import { HOOK_PROGRAM } from '../live/links.ts'
import type { HookPlace } from '../live/links.ts'
import { escapePin } from '../model/paths.ts'
import { LbError } from '../model/errors.ts'
import type { Attachment } from '../model/snapshot.ts'
import { HOOKS } from '../ports/kernel.ts'
import type { Hook } from '../ports/kernel.ts'
import type { World } from './world.ts'

/** Pins under link/ that a set of attachments has. */
export function linkNames(attachments: readonly Attachment[]): Set<string> {
  return new Set(
    attachments.flatMap(({ name, mode }) => HOOKS[mode].map((hook) => `${escapePin(name)}:${hook}`)),
  )
}

/**
 * Sees to it that every hook of `attachments` runs the pinned program: attaches what is missing,
 * replaces what is stale. Returns how many it attached, and adds to `undo` how to take that back.
 */
export function ensureAttached(
  world: World,
  attachments: readonly Attachment[],
  undo: (() => void)[] = [],
): number {
  let attached = 0
  world.kernel.fs.makeDirectory(world.paths.linkFolder)
  for (const { name, ifindex, mode } of attachments) {
    for (const hook of HOOKS[mode]) if (ensureHook(world, { name, ifindex, hook }, undo)) attached++
  }
  return attached
}

function ensureHook(world: World, place: HookPlace, undo: (() => void)[]): boolean {
  const { kernel, paths } = world
  const { name, ifindex, hook } = place
  using program = kernel.openProgram(paths.program(HOOK_PROGRAM[hook]))
  if (!program) throw new LbError('state', `${paths.program(HOOK_PROGRAM[hook])} is missing`)
  const path = paths.link(name, hook)
  {
    using link = kernel.openLink(path)
    if (link?.info.ifindex === ifindex) {
      if (link.info.programId !== program.info.id) link.update(program)
      return false
    }
  }
  kernel.detach(path)
  makeWay(world, place, undo)
  try {
    kernel.attach(program, ifindex, hook, path)
  } catch (error) {
    throw attachError(name, hook, error)
  }
  undo.push(() => kernel.detach(path))
  return true
}

/** The kernel takes native or generic XDP on an interface, never both. */
const RIVALS: Partial<Record<Hook, Hook>> = { xdp: 'xdp-generic', 'xdp-generic': 'xdp' }

/**
 * Takes the other kind of XDP off. tcx stands in until this one is attached, so that no packet passes
 * us by; like all that no generation needs, it is taken off at the end.
 */
function makeWay(world: World, { name, ifindex, hook }: HookPlace, undo: (() => void)[]): void {
  const { kernel, paths } = world
  const rival = RIVALS[hook]
  if (rival === undefined) return
  const path = paths.link(name, rival)
  {
    using link = kernel.openLink(path)
    if (link?.info.ifindex !== ifindex) return
  }
  ensureHook(world, { name, ifindex, hook: 'tcx-ingress' }, undo)
  kernel.detach(path)
  undo.push(() => void ensureHook(world, { name, ifindex, hook: rival }, []))
}

function attachError(name: string, hook: Hook, cause: unknown): unknown {
  if (!(cause instanceof LbError)) return cause
  return new LbError(cause.code, `interface ${name}, hook ${hook}: ${cause.message}`, {
    hint:
      cause.hint ?? `\`lb doctor\` says what ${name} can do; interfaces.${name}.attach chooses another way`,
    cause,
  })
}

/** Takes off every program whose pin under link/ is not in `keep`. Returns the names taken off. */
export function detachOthers({ kernel, paths }: World, keep: ReadonlySet<string>): string[] {
  const others = (kernel.fs.list(paths.linkFolder) ?? []).filter((name) => !keep.has(name))
  for (const name of others) kernel.detach(`${paths.linkFolder}/${name}`)
  return others
}
