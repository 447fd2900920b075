/** Rows of `backend_stats`, handed out by identity: a backend keeps its row across generations. */
import { addressBytes, identityOf, numberDeployment } from '../abi/compile.ts'
import type { BackendIdentity } from '../abi/compile.ts'
import { protocolName, protocolNumber } from '../abi/names.ts'
import { makeRows, rowsOver } from '../abi/struct.ts'
import { u32s } from '../live/decode.ts'
import { LbError } from '../model/errors.ts'
import { formatIp } from '../model/ip.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { MapPort } from '../ports/kernel.ts'
import type { World } from './world.ts'

/** What `backend_ids` says. */
export function readCounterRows(ids: MapPort): Map<string, number> {
  const { count, keys, values } = ids.readAll()
  const rows = rowsOver('lb_backend_id', keys)
  const numbers = u32s(values)
  const found = new Map<string, number>()
  for (let row = 0; row < count; row++) {
    const protocol = protocolName(rows.get(row, 'proto'))
    if (!protocol) continue
    const ip = formatIp(rows.slice(row, 'addr'))
    found.set(identityOf(ip, rows.get(row, 'port_be'), protocol), numbers[row]!)
  }
  return found
}

/** Rows of counters as they are, and the backends of a deployment that have none. */
export interface Counters {
  readonly rows: ReadonlyMap<string, number>
  readonly missing: readonly BackendIdentity[]
}

export function readCounters({ kernel, paths }: World, deployment: Deployment): Counters {
  using ids = kernel.openMap(paths.map('backend_ids'))
  const rows = ids ? readCounterRows(ids) : new Map<string, number>()
  return {
    rows,
    missing: numberDeployment(deployment).backends.filter(({ identity }) => !rows.has(identity)),
  }
}

/**
 * Rows for every backend, those it already has or free ones. A dry run does not write them down, and
 * may name rows that the map is yet to be grown for.
 * @throws LbError `state` where the map is too small: grow it first.
 */
export function allocateCounters(
  { kernel, paths }: World,
  { rows, missing }: Counters,
  dryRun: boolean,
): ReadonlyMap<string, number> {
  using ids = kernel.openMap(paths.map('backend_ids'))
  using stats = kernel.openMap(paths.map('backend_stats'))
  if (!ids || !stats) throw new LbError('state', `${paths.map('backend_ids')} or backend_stats is missing`)
  if (missing.length === 0) return rows
  const used = new Set(rows.values())
  const fresh: number[] = []
  for (let row = 0; fresh.length < missing.length; row++) {
    if (!dryRun && row >= stats.info.maxEntries) {
      throw new LbError('state', `backend_stats has only ${row} rows`)
    }
    if (!used.has(row)) fresh.push(row)
  }
  if (!dryRun) writeIds(ids, missing, fresh)
  return new Map([...rows, ...missing.map(({ identity }, i) => [identity, fresh[i]!] as const)])
}

function writeIds(ids: MapPort, backends: readonly BackendIdentity[], rows: readonly number[]): void {
  const keys = makeRows('lb_backend_id', backends.length)
  for (const [i, { ip, port, protocol }] of backends.entries()) {
    keys.put(i, 'addr', addressBytes(ip))
    keys.set(i, 'port_be', port)
    keys.set(i, 'proto', protocolNumber(protocol))
  }
  ids.updateBatch(keys.bytes, new Uint8Array(Uint32Array.from(rows).buffer))
}
