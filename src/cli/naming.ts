/** The names of a configuration, and where their addresses come from. */
import type { Loaded } from '../engine/config/load.ts'
import { resolveSnapshot } from '../engine/config/resolve.ts'
import type { Problem } from '../engine/model/problem.ts'
import type { HostAddresses } from '../engine/model/resolution.ts'
import type { Snapshot } from '../engine/model/snapshot.ts'
import { hostsOf } from '../engine/model/unresolved.ts'
import type { HostName, UnresolvedSnapshot } from '../engine/model/unresolved.ts'
import { ConfigError } from './base.ts'

/** Files that are right, whose names are yet to be resolved. */
export type LoadedConfig = Extract<Loaded, { ok: true }> & { readonly files: readonly string[] }

export interface ValidConfig extends Omit<LoadedConfig, 'snapshot'> {
  readonly snapshot: Snapshot
  /** The same with its names. */
  readonly unresolved: UnresolvedSnapshot
}

export interface Naming {
  /**
   * Asked once, with all names that there are, and only where there are any. `known`: the addresses that are applied,
   * which stay where there are no better ones.
   */
  readonly resolve: (hosts: readonly HostName[], known: () => HostAddresses) => Promise<NamesFound>
  /** Names that have no address are left out, with a warning, instead of being errors. */
  readonly allowUnresolved: boolean
}

export interface NamesFound {
  readonly addresses: HostAddresses
  /** Why the others have none, by name: `no such name`. */
  readonly failures: ReadonlyMap<string, string>
  /** Why some have the addresses that are applied, by name. */
  readonly kept: ReadonlyMap<string, string>
}

/** Finds no name. */
export const NO_NAMES: Naming = {
  resolve: () => Promise.resolve({ addresses: new Map(), failures: new Map(), kept: new Map() }),
  allowUnresolved: false,
}

/** @throws ConfigError naming each host that has no address. */
export async function resolveConfig(
  { snapshot: unresolved, warnings, locate, ...rest }: LoadedConfig,
  { resolve, allowUnresolved }: Naming,
  known: () => HostAddresses = () => new Map(),
): Promise<ValidConfig> {
  const hosts = hostsOf(unresolved)
  const { addresses, failures, kept } = await (hosts.length === 0 ? NO_NAMES : { resolve }).resolve(
    hosts,
    known,
  )
  const resolved = resolveSnapshot(unresolved, addresses, { allowUnresolved, failures, locate })
  if (!resolved.ok) throw new ConfigError(resolved.problems)
  const { snapshot } = resolved
  const stay = [...kept].map(([host, error]) => keptProblem(host, error))
  return { ...rest, snapshot, unresolved, locate, warnings: [...warnings, ...stay, ...resolved.warnings] }
}

function keptProblem(host: string, error: string): Problem {
  const message = `\`${host}\` could not be resolved: ${error}`
  return {
    severity: 'warning',
    rule: 'unresolved-host',
    message,
    hint: 'The addresses that are applied stay.',
  }
}
