/** How the daemon comes by plans, as the commands do, and how failures read. */
import { statSync } from 'node:fs'
import { hex } from '../engine/abi/describe.ts'
import { loadConfig } from '../engine/config/load.ts'
import type { Source } from '../engine/config/source.ts'
import type { World } from '../engine/execute/world.ts'
import { requireCapacity } from '../engine/live/capacity.ts'
import { listGenerations } from '../engine/live/generations.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import { guardRemovals } from '../engine/plan/guard.ts'
import { makePlan } from '../engine/plan/plan.ts'
import { wasAppliedBefore } from '../engine/watch/applied-before.ts'
import type { DaemonWorld, Failure, Loading } from '../daemon/ports.ts'
import { makePalette } from '../render/palette.ts'
import { renderProblems } from '../render/validate/human.ts'
import { ConfigError } from './base.ts'
import { NO_NAMES, resolveConfig } from './naming.ts'
import type { Naming } from './naming.ts'
import { configHash, deploy } from './planning.ts'
import type { LoadedConfig, ValidConfig } from './planning.ts'
import { readSources } from './sources.ts'

/** A daemon's view of a world, for the files that `paths` name. */
export function daemonWorld(world: World, paths: readonly string[], naming: Naming = NO_NAMES): DaemonWorld {
  let memory: LoadedConfig | undefined
  const planOf = async (loaded: LoadedConfig, digest: string | undefined): Promise<Loading> => {
    let config: ValidConfig
    try {
      config = await resolveConfig(loaded, naming)
    } catch (error) {
      return { kind: 'unplanned', digest, failure: describeFailure(error) }
    }
    return planFor(world, config, digest)
  }
  return {
    world,
    describe: describeFailure,
    planner: {
      async load(from, unless) {
        if (from === 'memory') return memory ? planOf(memory, undefined) : { kind: 'same' }
        const { digest, read } = digestOf(world, paths)
        if (digest === unless) return { kind: 'same' }
        const valid = read()
        if ('message' in valid) return { kind: 'invalid', digest, failure: valid }
        memory = valid
        return planOf(valid, digest)
      },
    },
  }
}

/** Of names and texts, or of why they cannot be read. */
function digestOf(
  { host }: World,
  paths: readonly string[],
): { digest: string; read: () => LoadedConfig | Failure } {
  let sources: Source[]
  try {
    sources = readSources(paths)
  } catch (error) {
    const failure = describeFailure(error)
    return { digest: host.digest([failure.text]), read: () => failure }
  }
  return {
    digest: host.digest(sources.flatMap(({ file, text }) => [file, '\0', text, '\0'])),
    read() {
      const loaded = loadConfig(sources)
      if (!loaded.ok) return describeFailure(new ConfigError(loaded.problems))
      return { ...loaded, files: sources.map(({ file }) => file) }
    },
  }
}

function planFor(world: World, config: ValidConfig, digest: string | undefined): Loading {
  const { kernel, host, instance, paths } = world
  try {
    const { live } = readLive(kernel, host, instance, paths)
    requireCapacity(kernel, paths, config)
    const hash = configHash(world, config.snapshot)
    const plan = makePlan(live, deploy(world, config), {
      sources: config.files,
      configHash: hash,
      program: hex(kernel.objectSha256),
    })
    const history = listGenerations(kernel, host, paths, live.slot)
    return {
      kind: 'planned',
      digest,
      plan,
      live,
      refused: refusal(() => guardRemovals(plan)),
      appliedBefore: wasAppliedBefore(history, hash, editedAt(config.files)),
      warnings: config.warnings,
    }
  } catch (error) {
    return { kind: 'unplanned', digest, failure: describeFailure(error) }
  }
}

function refusal(guard: () => void): Failure | undefined {
  try {
    guard()
    return undefined
  } catch (error) {
    return describeFailure(error)
  }
}

function editedAt(files: readonly string[]): number {
  const times = files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity)
  return Math.max(...times)
}

/** @throws what is not an LbError: a bug */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof LbError)) throw error
  const { message, hint } = error
  if (!(error instanceof ConfigError)) {
    return { message, hint, problems: [], text: hint === undefined ? message : `${message}\nhint: ${hint}` }
  }
  const [first] = error.problems
  const more = error.problems.length > 1 ? ` (and ${error.problems.length - 1} more)` : ''
  return {
    message: first ? `${first.message}${more}` : message,
    hint,
    problems: error.problems,
    text: renderProblems(error.problems, makePalette(false)),
  }
}
