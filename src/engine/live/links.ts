/** Whether the programs sit where they should. */
import { interfaceAddress } from '../model/resource.ts'
import type { Drift } from '../model/plan.ts'
import type { Attachment } from '../model/snapshot.ts'
import { HOOKS } from '../ports/kernel.ts'
import type { Hook, KernelPort } from '../ports/kernel.ts'
import type { InstancePaths } from '../model/paths.ts'

/** The pinned program that serves a hook. */
export const HOOK_PROGRAM: Readonly<Record<Hook, 'xdp' | 'tc_ingress' | 'tc_egress'>> = {
  xdp: 'xdp',
  'xdp-generic': 'xdp',
  'tcx-ingress': 'tc_ingress',
  'tcx-egress': 'tc_egress',
}

/** What a hook of an attachment holds, when it is not our program. */
export function linkDrift(
  kernel: KernelPort,
  paths: InstancePaths,
  attachments: readonly Attachment[],
): Drift[] {
  return attachments.flatMap(({ name, ifindex, mode }) =>
    HOOKS[mode].flatMap((hook) => hookDrift(kernel, paths, { name, ifindex, hook })),
  )
}

export interface HookPlace {
  readonly name: string
  readonly ifindex: number
  readonly hook: Hook
}

function hookDrift(kernel: KernelPort, paths: InstancePaths, place: HookPlace): Drift[] {
  const path = paths.link(place.name, place.hook)
  const address = `${interfaceAddress(place.name)}.hook[${JSON.stringify(place.hook)}]`
  using program = kernel.openProgram(paths.program(HOOK_PROGRAM[place.hook]))
  const before = { ifindex: place.ifindex, program: program?.info.id ?? 0 }
  using link = kernel.openLink(path)
  if (!link) return [{ action: 'delete', address, before, after: null, where: path }]
  const after = { ifindex: link.info.ifindex, program: link.info.programId }
  if (after.ifindex === before.ifindex && after.program === before.program) return []
  return [{ action: 'update', address, before, after, where: path }]
}
