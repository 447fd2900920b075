/** The compiled data plane, loaded for tests: configured from a model's configuration, run on frames. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import { isStale, testNames } from '../../support/lab/names.ts'
import { root } from '../../support/lab/run.ts'
import type { Observed } from '../../support/model-compare.ts'
import type { Configuration, Hook } from '../../support/model.ts'
import { createNetwork, world } from './network.ts'
import { observed, PROGRAMS } from './outcome.ts'
import { loadPlane, type Options as PlaneOptions, type Plane } from './plane.ts'
import { startRunner, type Frame, type Runner } from './runner.ts'
import { makeTables, type Timeouts } from './tables.ts'

export const OBJECT = join(root, 'build/bpf/lb.bpf.o')
const BPFFS = '/sys/fs/bpf'
export const SLOT_NONE = enums.lb_limit.LB_SLOT_NONE

export interface Options extends PlaneOptions {
  /** How many there are in `runners`. */
  readonly processes?: number
}

export interface Dataplane extends Omit<Plane, 'close'> {
  readonly devices: Readonly<Record<string, number>>
  /** Of the host that packets are run on. */
  readonly namespace: string
  /** Puts a configuration into a slot and makes it active; no connections, all counters zero. */
  configure(configuration: Configuration, timeouts?: Timeouts): void
  run(hook: Hook, frames: readonly Frame[]): Promise<readonly Observed[]>
  /** The processes that run programs; `run` uses the first. */
  readonly runners: readonly Runner[]
  /** Folder in bpffs for what they are to run. */
  readonly pins: string
  close(): Promise<void>
}

/** What has to be undone, last thing first. */
type Cleanup = (() => unknown)[]

async function undo(cleanup: Cleanup): Promise<void> {
  for (const step of cleanup.splice(0).reverse()) await step()
}

/** `idleObject`: what `startRunner` takes. */
export async function createDataplane(idleObject: string, options: Options = {}): Promise<Dataplane> {
  const cleanup: Cleanup = []
  try {
    return await build(cleanup, idleObject, options)
  } catch (error) {
    await undo(cleanup)
    throw error
  }
}

async function build(cleanup: Cleanup, idleObject: string, options: Options): Promise<Dataplane> {
  const network = await createNetwork()
  cleanup.push(() => network.remove())
  const runner = await startRunner(network.namespace, idleObject)
  cleanup.push(() => runner.close())
  const others: Runner[] = []
  for (let i = 1; i < (options.processes ?? 1); i++) {
    const other = await startRunner(network.namespace)
    others.push(other)
    cleanup.push(() => other.close())
  }
  const plane = loadPlane(OBJECT, options)
  cleanup.push(() => plane.close())
  const pins = join(BPFFS, `lb-${testNames().instance}`)
  removeStalePins()
  mkdirSync(pins)
  cleanup.push(() => rmSync(pins, { recursive: true, force: true }))
  pin(plane, pins)

  return {
    ...plane,
    devices: runner.devices,
    namespace: network.namespace,
    configure(configuration, timeouts) {
      plane.reset()
      plane.fill(0, makeTables(configuration, world, runner.devices, timeouts))
      plane.activate(0)
    },
    async run(hook, frames) {
      const program = `${pins}/${PROGRAMS[hook]}`
      const ran = await runner.run({ program, reasons: `${pins}/reasons`, frames })
      return ran.map((one) => observed(hook, one))
    },
    runners: [runner, ...others],
    pins,
    close: () => undo(cleanup),
  }
}

/** What the runners open. */
function pin({ object }: Plane, folder: string): void {
  using reasons = object.map('reasons')
  reasons.pin(`${folder}/reasons`)
  for (const name of Object.values(PROGRAMS)) {
    using program = object.program(name)
    program.pin(`${folder}/${name}`)
  }
}

/** Removes what tests left behind whose process was killed. */
function removeStalePins(): void {
  for (const name of readdirSync(BPFFS)) {
    if (name.startsWith('lb-') && isStale(name.slice(3)))
      rmSync(join(BPFFS, name), { recursive: true, force: true })
  }
}
