/** Configuration and live state → plan: what `lb plan` and `lb apply` have in common. */
import { checkHost } from '../engine/config/host.ts'
import { loadConfig } from '../engine/config/load.ts'
import { hex } from '../engine/abi/describe.ts'
import type { World } from '../engine/execute/world.ts'
import { requireCapacity } from '../engine/live/capacity.ts'
import { knownAddresses } from '../engine/dns/known.ts'
import { readLive } from '../engine/live/read.ts'
import type { LiveState } from '../engine/model/live.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import type { Problem } from '../engine/model/problem.ts'
import type { HostAddresses } from '../engine/model/resolution.ts'
import type { Deployment, Snapshot } from '../engine/model/snapshot.ts'
import type { UnresolvedSnapshot } from '../engine/model/unresolved.ts'
import { offlineAttachments, resolveAttachments, targetAddresses } from '../engine/plan/attachments.ts'
import { makePlan } from '../engine/plan/plan.ts'
import { ConfigError } from './base.ts'
import { resolveConfig } from './naming.ts'
import type { LoadedConfig, Naming, ValidConfig } from './naming.ts'
import { configPaths, readSources } from './sources.ts'

export type { LoadedConfig, ValidConfig } from './naming.ts'

/** @throws ConfigError with everything that is wrong. */
export async function loadDesired(
  given: readonly string[] | undefined,
  naming: Naming,
  known?: () => HostAddresses,
): Promise<ValidConfig> {
  return resolveConfig(readConfig(given), naming, known)
}

/** @throws ConfigError with everything that is wrong. */
export function readConfig(given: readonly string[] | undefined): LoadedConfig {
  const sources = readSources(configPaths(given))
  const loaded = loadConfig(sources)
  if (!loaded.ok) throw new ConfigError(loaded.problems)
  return { ...loaded, files: sources.map(({ file }) => file) }
}

/** A configuration on this host: interfaces checked, ways of attaching chosen. */
export function deploy(world: World, config: ValidConfig): Deployment {
  const { net } = world.kernel
  const interfaces = net.interfaces()
  const problems: Problem[] = checkHost(
    config,
    interfaces.map(({ name }) => name),
  )
  if (problems.length > 0) throw new ConfigError(problems)
  return { snapshot: config.snapshot, attachments: attachmentsHere(world, config.snapshot) }
}

export function attachmentsHere({ kernel: { net } }: World, snapshot: Snapshot): Deployment['attachments'] {
  const routes = net.routes(targetAddresses(snapshot))
  return resolveAttachments(snapshot, { interfaces: net.interfaces(), routes })
}

export interface Planned {
  readonly plan: ExecutablePlan
  readonly live: LiveState
  readonly warnings: readonly Problem[]
}

/** Plans against the live maps. */
export async function planLive(
  world: World,
  given: readonly string[] | undefined,
  naming: Naming,
): Promise<Planned> {
  const read = (): LiveState => readLive(world.kernel, world.host, world.instance, world.paths).live
  const config = await loadDesired(given, naming, () => knownAddresses(read().deployment.snapshot))
  // After the names, which may take their time.
  const live = read()
  requireCapacity(world.kernel, world.paths, config)
  const plan = makePlan(live, deploy(world, config), {
    sources: config.files,
    configHash: configHash(world, config.unresolved),
    program: hex(world.kernel.objectSha256),
  })
  return { plan, live, warnings: config.warnings }
}

/** Plans against a saved state, with no kernel: what only the host can tell is taken from the state. */
export async function planOffline(
  live: LiveState,
  given: readonly string[] | undefined,
  naming: Naming,
): Promise<Planned> {
  const config = await loadDesired(given, naming, () => knownAddresses(live.deployment.snapshot))
  const { snapshot } = config
  const desired = { snapshot, attachments: offlineAttachments(snapshot, live.deployment.attachments) }
  const plan = makePlan(live, desired, { sources: config.files, configHash: '', program: undefined })
  return { plan, live, warnings: config.warnings }
}

/** The same for the same configuration, however it is written, and whatever its names stand for. */
export function configHash({ host }: World, unresolved: UnresolvedSnapshot): string {
  return host.digest([JSON.stringify(unresolved)])
}
