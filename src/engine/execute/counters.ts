/** Rows of `backend_stats`, handed out by identity: a backend keeps its row across generations. */
import { addressBytes, numberDeployment } from '../abi/compile.ts'
import type { Backend, CounterRows } from '../abi/compile.ts'
import { indexKeys } from '../abi/key-index.ts'
import { protocolNumber } from '../abi/names.ts'
import { makeRows, structSize } from '../abi/struct.ts'
import { u32s } from '../live/decode.ts'
import { LbError } from '../model/errors.ts'
import type { Deployment, Protocol } from '../model/snapshot.ts'
import type { World } from './world.ts'

/** Rows of counters as they are, and what a deployment has of them. */
export interface Counters {
  /** Rows that have an owner. */
  readonly taken: Uint32Array
  /** For each backend of the deployment the row that it owns; `undefined`: it has none. */
  readonly rows: readonly (number | undefined)[]
  /** How many have none. */
  readonly missing: number
}

/** What `backend_ids` says. */
export function readCounters({ kernel, paths }: World, deployment: Deployment): Counters {
  using ids = kernel.openMap(paths.map('backend_ids'))
  const { keys, values } = ids?.readAll() ?? { keys: new Uint8Array(), values: new Uint8Array() }
  const owners = indexKeys(keys, structSize('lb_backend_id'))
  const taken = u32s(values)
  const { backends } = numberDeployment(deployment)
  const wanted = idsOf(backends)
  // What has no owner is `undefined`: there is no place -1.
  const rows = backends.map((_, i) => taken[owners.find(wanted, i)])
  return { taken, rows, missing: rows.filter((row) => row === undefined).length }
}

/**
 * Rows for every backend, those it already has or free ones. A dry run does not write them down, and
 * may name rows that the map is yet to be grown for.
 * @throws LbError `state` where the map is too small: grow it first.
 */
export function allocateCounters(
  { kernel, paths }: World,
  deployment: Deployment,
  { taken, rows, missing }: Counters,
  dryRun: boolean,
): CounterRows {
  using ids = kernel.openMap(paths.map('backend_ids'))
  using stats = kernel.openMap(paths.map('backend_stats'))
  if (!ids || !stats) throw new LbError('state', `${paths.map('backend_ids')} or backend_stats is missing`)
  const used = missing === 0 ? new Set<number>() : new Set(taken)
  const fresh: number[] = []
  for (let row = 0; fresh.length < missing; row++) {
    if (!dryRun && row >= stats.info.maxEntries) {
      throw new LbError('state', `backend_stats has only ${row} rows`)
    }
    if (!used.has(row)) fresh.push(row)
  }
  if (!dryRun && missing > 0) {
    const newcomers = numberDeployment(deployment).backends.filter((_, i) => rows[i] === undefined)
    ids.updateBatch(idsOf(newcomers), new Uint8Array(Uint32Array.from(fresh).buffer))
  }
  let next = 0
  return rows.map((row) => row ?? fresh[next++]!)
}

/** The row that a backend has; `undefined`: none. */
export function counterRow(
  { kernel, paths }: World,
  ip: string,
  port: number,
  protocol: Protocol,
): number | undefined {
  using ids = kernel.openMap(paths.map('backend_ids'))
  const value = ids?.lookup(idsOf([{ ip, port, protocol }]))
  return value && u32s(value)[0]
}

/** Keys of `backend_ids`. */
function idsOf(backends: readonly Pick<Backend, 'ip' | 'port' | 'protocol'>[]): Uint8Array {
  const keys = makeRows('lb_backend_id', backends.length)
  for (const [i, { ip, port, protocol }] of backends.entries()) {
    keys.put(i, 'addr', addressBytes(ip))
    keys.set(i, 'port_be', port)
    keys.set(i, 'proto', protocolNumber(protocol))
  }
  return keys.bytes
}
