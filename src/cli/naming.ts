/** The names of a configuration, and where their addresses come from. */
import type { Loaded } from '../engine/config/load.ts'
import { resolveSnapshot } from '../engine/config/resolve.ts'
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
  /** Asked once, with all names that there are, and only where there are any. */
  readonly resolve: (hosts: readonly HostName[]) => Promise<NamesFound>
  /** Names that have no address are left out, with a warning, instead of being errors. */
  readonly allowUnresolved: boolean
}

export interface NamesFound {
  readonly addresses: HostAddresses
  /** Why the others have none, by name: `no such name`. */
  readonly failures: ReadonlyMap<string, string>
}

/** Finds no name. */
export const NO_NAMES: Naming = {
  resolve: () => Promise.resolve({ addresses: new Map(), failures: new Map() }),
  allowUnresolved: false,
}

/** @throws ConfigError naming each host that has no address. */
export async function resolveConfig(
  { snapshot: unresolved, warnings, locate, ...rest }: LoadedConfig,
  { resolve, allowUnresolved }: Naming,
): Promise<ValidConfig> {
  const hosts = hostsOf(unresolved)
  const { addresses, failures } = await (hosts.length === 0 ? NO_NAMES.resolve([]) : resolve(hosts))
  const resolved = resolveSnapshot(unresolved, addresses, { allowUnresolved, failures, locate })
  if (!resolved.ok) throw new ConfigError(resolved.problems)
  const { snapshot } = resolved
  return { ...rest, snapshot, unresolved, locate, warnings: [...warnings, ...resolved.warnings] }
}
