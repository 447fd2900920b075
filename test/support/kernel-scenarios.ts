/**
 * What the contract tries on interfaces. On the real kernel these run in a child process inside a
 * network namespace (kernel-child.ts), so they take and give plain data only.
 */
import { PROGRAMS } from '../../src/engine/execute/bootstrap.ts'
import { CONN_PARTITIONS } from '../../src/engine/execute/meta.ts'
import { HOOK_PROGRAM } from '../../src/engine/live/links.ts'
import { LbError } from '../../src/engine/model/errors.ts'
import { instancePaths } from '../../src/engine/model/paths.ts'
import type { Hook, KernelPort, ProgramPort } from '../../src/engine/ports/kernel.ts'
import { makeInstance } from './kernel-instance.ts'

/** Where a scenario runs: it has the interface `v0`. */
export interface Place {
  readonly kernel: KernelPort
  /** An empty folder in bpffs. */
  readonly folder: string
  readonly removeInterface: (name: string) => void
}

export interface Seen {
  readonly program: 'first' | 'second' | 'other' | 'none'
  readonly interface: 'v0' | 'gone'
}

interface Stage {
  readonly first: ProgramPort
  readonly second: ProgramPort
  readonly ifindex: number
  readonly path: string
  readonly look: (path?: string) => Seen | 'no link'
  readonly [Symbol.dispose]: () => void
}

/** Two versions of the program for a hook, and the place of its pin. */
function setStage({ kernel, folder }: Place, hook: Hook): Stage {
  const options = {
    reuse: {},
    maxEntries: {},
    connections: { current: 0, partitions: CONN_PARTITIONS, otherPartitions: 0 },
  }
  const planes = [kernel.loadDataPlane(options), kernel.loadDataPlane(options)] as const
  const [first, second] = planes.map((plane) => plane.program(PROGRAMS[HOOK_PROGRAM[hook]]))
  if (!first || !second) throw new Error('no program')
  const ifindex = kernel.net.interfaces().find((item) => item.name === 'v0')?.ifindex ?? 0
  const path = linkPath(folder, 'one', hook, kernel)
  const look = (at = path): Seen | 'no link' => {
    using link = kernel.openLink(at)
    if (!link) return 'no link'
    const { programId, ifindex: on } = link.info
    const names = new Map([
      [first.info.id, 'first'],
      [second.info.id, 'second'],
      [0, 'none'],
    ] as const)
    return { program: names.get(programId) ?? 'other', interface: on === ifindex ? 'v0' : 'gone' }
  }
  const dispose = (): void => [first, second, ...planes].forEach((item) => item[Symbol.dispose]())
  return { first, second, ifindex, path, look, [Symbol.dispose]: dispose }
}

/** The folder above is the instance's, which tells filters of different instances apart. */
function linkPath(folder: string, instance: string, hook: Hook, kernel: KernelPort): string {
  const paths = instancePaths(instance, folder)
  kernel.fs.makeDirectory(paths.linkFolder)
  return paths.link('v0', hook)
}

function errorOf(action: () => unknown): string {
  try {
    action()
    return 'none'
  } catch (error) {
    if (!(error instanceof LbError)) throw error
    return `${error.code} ${(error.cause as { code?: string } | undefined)?.code ?? ''}`
  }
}

const both = (hooks: readonly Hook[]): Hook => hooks[0] ?? 'tcx-ingress'

export const SCENARIOS = {
  /** From attaching to detaching, and again at once. */
  life(place: Place, hooks: readonly Hook[]) {
    const { kernel } = place
    using stage = setStage(place, both(hooks))
    const before = stage.look()
    kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path)
    const attached = stage.look()
    {
      using link = kernel.openLink(stage.path)
      link?.update(stage.second)
    }
    const updated = stage.look()
    const pins = kernel.fs.list(`${place.folder}/one/link`)
    kernel.detach(stage.path)
    kernel.detach(stage.path)
    const detached = stage.look()
    const left = kernel.fs.list(`${place.folder}/one/link`)
    kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path)
    const again = stage.look()
    kernel.detach(stage.path)
    return { before, attached, updated, pins, detached, left, again }
  },

  /** An update through one descriptor while another is open. */
  held(place: Place, hooks: readonly Hook[]) {
    const { kernel } = place
    using stage = setStage(place, both(hooks))
    kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path)
    using link = kernel.openLink(stage.path)
    kernel.detach(stage.path)
    const error = errorOf(() => kernel.attach(stage.second, stage.ifindex, both(hooks), stage.path))
    const after = stage.look()
    kernel.detach(stage.path)
    return { held: link !== undefined, error, after }
  },

  /** Two instances on one hook; then one of them leaves. */
  neighbours(place: Place, hooks: readonly Hook[]) {
    const { kernel } = place
    using stage = setStage(place, both(hooks))
    const other = linkPath(place.folder, 'two', both(hooks), kernel)
    kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path)
    kernel.attach(stage.second, stage.ifindex, both(hooks), other)
    const together = [stage.look(), stage.look(other)]
    kernel.detach(stage.path)
    const alone = [stage.look(), stage.look(other)]
    kernel.detach(other)
    return { together, alone }
  },

  /** What cannot be attached, and that nothing of it stays. */
  refusals(place: Place, hooks: readonly Hook[]) {
    const { kernel, folder } = place
    using stage = setStage(place, both(hooks))
    const nowhere = errorOf(() => kernel.attach(stage.first, 9999, both(hooks), stage.path))
    stage.second.pin(stage.path)
    const occupied = errorOf(() => kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path))
    kernel.fs.remove(stage.path)
    const left = kernel.fs.list(`${folder}/one/link`)
    const xdp = kernel.net.interfaces().find(({ name }) => name === 'v0')?.xdpProgram ?? 'none'
    return { nowhere, occupied, left, xdp }
  },

  /** The interface goes away under the program. */
  removal(place: Place, hooks: readonly Hook[]) {
    const { kernel } = place
    using stage = setStage(place, both(hooks))
    kernel.attach(stage.first, stage.ifindex, both(hooks), stage.path)
    place.removeInterface('v0')
    const seen = stage.look()
    kernel.detach(stage.path)
    return { seen, after: stage.look(), left: kernel.fs.list(`${place.folder}/one/link`) }
  },

  /** One XDP program after another: of the same mode, then of the other. */
  exclusive(place: Place) {
    const { kernel } = place
    using stage = setStage(place, 'xdp')
    kernel.attach(stage.first, stage.ifindex, 'xdp', stage.path)
    const other = linkPath(place.folder, 'two', 'xdp', kernel)
    const generic = linkPath(place.folder, 'one', 'xdp-generic', kernel)
    const errors = [
      errorOf(() => kernel.attach(stage.second, stage.ifindex, 'xdp', other)),
      errorOf(() => kernel.attach(stage.second, stage.ifindex, 'xdp-generic', generic)),
    ]
    const modes = [kernel.net.interfaces().find(({ name }) => name === 'v0')?.xdpProgram?.mode]
    kernel.detach(stage.path)
    kernel.attach(stage.second, stage.ifindex, 'xdp-generic', generic)
    modes.push(kernel.net.interfaces().find(({ name }) => name === 'v0')?.xdpProgram?.mode)
    kernel.detach(generic)
    return { errors, modes, left: kernel.fs.list(`${place.folder}/one/link`) }
  },

  /** An instance from its making to its end, with upgrades of its programs and of its maps. */
  instance({ kernel, folder }: Place) {
    const instance = makeInstance(kernel, folder)
    const seen = [instance.apply(2, 'xdp')]
    instance.count(1234)
    seen.push(
      instance.upgrade(3, 'xdp-generic'),
      instance.upgrade(5000, 'tcx'),
      instance.rollback(2),
      instance.apply(2, 'xdp'),
    )
    return { seen, left: instance.destroy() }
  },

  /** What becomes known of targets, across applies and rollbacks. */
  known({ kernel, folder }: Place) {
    const instance = makeInstance(kernel, folder)
    const look = ({ drift, settled }: { drift: readonly string[]; settled: boolean }) => {
      return { drift: drift.length, settled, ...instance.shares() }
    }
    const seen = [
      look(instance.apply(4, 'tcx')),
      look(instance.drain(1)),
      // The same lists, so the same table; then others.
      look(instance.apply(4, 'none')),
      look(instance.drain(2)),
      look(instance.apply(3, 'tcx')),
      look(instance.rollback(1)),
      look(instance.damage(0, 1)),
      look(instance.apply(4, 'tcx')),
    ]
    return { seen, left: instance.destroy() }
  },
} as const

export type ScenarioName = keyof typeof SCENARIOS
