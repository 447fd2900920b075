/** How the daemon comes by plans, as the commands do, and how failures read. */
import { statSync } from 'node:fs'
import { hex } from '../engine/abi/describe.ts'
import { loadConfig } from '../engine/config/load.ts'
import { resolveSnapshot } from '../engine/config/resolve.ts'
import { unresolve } from '../engine/config/unresolve.ts'
import type { Source } from '../engine/config/source.ts'
import { knownAddresses } from '../engine/dns/known.ts'
import { activeGeneration } from '../engine/execute/active.ts'
import type { World } from '../engine/execute/world.ts'
import { requireCapacity } from '../engine/live/capacity.ts'
import { listGenerations } from '../engine/live/generations.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../engine/model/live.ts'
import { hasChanges } from '../engine/model/plan.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import type { HostAddresses } from '../engine/model/resolution.ts'
import type { Snapshot } from '../engine/model/snapshot.ts'
import { hostsOf } from '../engine/model/unresolved.ts'
import type { UnresolvedSnapshot } from '../engine/model/unresolved.ts'
import type { ProbePort } from '../engine/ports/probe.ts'
import type { ResolverPort } from '../engine/ports/resolver.ts'
import { guardRemovals } from '../engine/plan/guard.ts'
import { makePlan } from '../engine/plan/plan.ts'
import { wasAppliedBefore } from '../engine/watch/applied-before.ts'
import type { DaemonWorld, Failure, Loading } from '../daemon/ports.ts'
import { makePalette } from '../render/palette.ts'
import { renderProblems } from '../render/validate/human.ts'
import { ConfigError } from './base.ts'
import { resolveConfig } from './naming.ts'
import type { LoadedConfig, Naming, ValidConfig } from './naming.ts'
import { attachmentsHere, configHash, deploy } from './planning.ts'
import { resolveHosts } from './resolving.ts'
import { readSources } from './sources.ts'

export interface PlansOptions {
  readonly world: World
  /** Files and folders. */
  readonly paths: readonly string[]
  readonly resolver: ResolverPort
  readonly prober: ProbePort
  readonly allowUnresolved: boolean
}

/** A daemon's view of a world. */
export function daemonWorld({ world, paths, resolver, prober, allowUnresolved }: PlansOptions): DaemonWorld {
  let memory: LoadedConfig | undefined
  const applied = (): Snapshot => activeGeneration(world)?.deployment.snapshot ?? EMPTY_DEPLOYMENT.snapshot
  const known = (): HostAddresses => knownAddresses(applied())
  const asked: Naming['resolve'] = (hosts, before) => resolveHosts(resolver, hosts, before)
  const planOf = async (
    loaded: LoadedConfig,
    digest: string | undefined,
    resolve: Naming['resolve'],
  ): Promise<Loading> => {
    try {
      const config = await resolveConfig(loaded, { resolve, allowUnresolved }, known)
      return planFor(world, config, digest)
    } catch (error) {
      return { kind: 'unplanned', digest, failure: describeFailure(error) }
    }
  }
  return {
    world,
    resolver,
    prober,
    describe: describeFailure,
    planner: {
      async load(from, unless) {
        if (from === 'memory') return memory ? planOf(memory, undefined, asApplied(asked)) : { kind: 'same' }
        const { digest, read } = digestOf(world, paths)
        if (digest === unless) return { kind: 'same' }
        const valid = read()
        if ('message' in valid) return { kind: 'invalid', digest, failure: valid }
        memory = valid
        return planOf(valid, digest, asked)
      },
      rename(addresses, inSync) {
        const snapshot = applied()
        const source = inSync && memory ? memory.snapshot : unresolve(snapshot)
        return renamed(world, source, snapshot, addresses)
      },
      names() {
        const ofFiles = memory ? hostsOf(memory.snapshot) : []
        // The same name twice: the files say how often it is asked for.
        const hosts = [...hostsOf(unresolve(applied())), ...ofFiles]
        return { hosts: [...new Map(hosts.map((name) => [name.host, name])).values()], known: known() }
      },
    },
  }
}

/** To compare with what serves: its own addresses, where it has any. What has changed of them is not its drift. */
function asApplied(asked: Naming['resolve']): Naming['resolve'] {
  return async (hosts, known) => {
    const addresses = known()
    const missing = hosts.filter(({ host }) => !addresses.has(host))
    if (missing.length === 0) return { addresses, failures: new Map(), kept: new Map() }
    const found = await asked(missing, known)
    return { ...found, addresses: new Map([...addresses, ...found.addresses]) }
  }
}

/** A plan that changes nothing but addresses of names. */
function renamed(
  world: World,
  source: UnresolvedSnapshot,
  applied: Snapshot,
  addresses: HostAddresses,
): ExecutablePlan | undefined {
  const resolved = resolveSnapshot(source, addresses, { allowUnresolved: true })
  if (!resolved.ok || JSON.stringify(resolved.snapshot) === JSON.stringify(applied)) return undefined
  const { kernel, host, instance, paths } = world
  const { live } = readLive(kernel, host, instance, paths)
  const before = listGenerations(kernel, host, paths, live.slot).find(({ active }) => active)?.provenance
  const { snapshot } = resolved
  const desired = { snapshot, attachments: attachmentsHere(world, snapshot) }
  const plan = makePlan(live, desired, {
    sources: before?.sources ?? [],
    configHash: before?.configHash ?? '',
    // Programs are upgraded when somebody applies.
    program: undefined,
  })
  return hasChanges(plan.plan) ? plan : undefined
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
    const hash = configHash(world, config.unresolved)
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
