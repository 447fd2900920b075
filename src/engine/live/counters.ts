/** The data plane's counters of backends, summed over CPUs. */
import { identityOf } from '../abi/compile.ts'
import { structs } from '../abi/layout.generated.ts'
import { protocolName } from '../abi/names.ts'
import { rowsOver } from '../abi/struct.ts'
import { sameBytes } from '../abi/tables.ts'
import type { BackendCounters, CountedBackend, CounterSnapshot } from '../model/counters.ts'
import { formatIp } from '../model/ip.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { Entries, KernelPort } from '../ports/kernel.ts'
import { u32s } from './decode.ts'

const FIELDS: Readonly<Record<keyof BackendCounters, keyof typeof structs.lb_backend_stats.fields>> = {
  packetsForward: 'packets_fwd',
  bytesForward: 'bytes_fwd',
  packetsReverse: 'packets_rev',
  bytesReverse: 'bytes_rev',
  opened: 'opened',
  closed: 'closed',
  established: 'established',
  refused: 'refused',
  timedOut: 'timed_out',
  reset: 'reset',
  ended: 'ended',
  removed: 'removed',
}

const WORD = 8
const NAMES = Object.keys(FIELDS) as (keyof BackendCounters)[]
/** Where each counter stands in a row, in words; those that an older row does not have are zero. */
const PLACES = NAMES.map((name) => structs.lb_backend_stats.fields[FIELDS[name]].offset / WORD)

/**
 * Of every backend that has counters, also those that are in no generation any more. Where nothing was counted since
 * `before`, its objects are in the result.
 */
export function readBackendCounters(
  kernel: KernelPort,
  paths: InstancePaths,
  before?: CounterSnapshot,
): CounterSnapshot {
  using ids = kernel.openMap(paths.map('backend_ids'))
  using stats = kernel.openMap(paths.map('backend_stats'))
  if (!ids || !stats) return new Map()
  // The owners first: a row is given to nobody else before it is zero.
  const owners = ids.readAll()
  const identities = identitiesIn(paths, owners)
  const rows = u32s(owners.values)
  const { values, count } = stats.readAll()
  const width = stats.info.valueSize / WORD
  const words = u32s(values)
  const { possibleCpus } = kernel
  const found = new Map<string, CountedBackend>()
  for (let i = 0; i < owners.count; i++) {
    const identity = identities[i]
    const row = rows[i]!
    if (identity === undefined || row >= count) continue
    const known = before?.get(identity)
    const isSame = known?.row === row && holds(known.counters, words, row, width, possibleCpus)
    found.set(identity, isSame ? known : { row, counters: sumCpus(words, row, width, possibleCpus) })
  }
  return found
}

interface Identities {
  readonly keys: Uint8Array
  readonly names: readonly (string | undefined)[]
}

const identitiesRead = new WeakMap<InstancePaths, Identities>()

/** Names of backends. They are what they were when they were read before, but after an apply. */
function identitiesIn(paths: InstancePaths, { count, keys }: Entries): Identities['names'] {
  const before = identitiesRead.get(paths)
  if (before && sameBytes(before.keys, keys)) return before.names
  const rows = rowsOver('lb_backend_id', keys)
  const names = Array.from({ length: count }, (_, i) => {
    const protocol = protocolName(rows.get(i, 'proto'))
    return protocol && identityOf(formatIp(rows.slice(i, 'addr')), rows.get(i, 'port_be'), protocol)
  })
  identitiesRead.set(paths, { keys, names })
  return names
}

/** Of one row: the value that was looked up. */
export function countersIn(value: Uint8Array, { possibleCpus }: KernelPort): BackendCounters {
  return sumCpus(u32s(value), 0, value.length / WORD / possibleCpus, possibleCpus)
}

/** Whether a row is as these counters say: most are, from one reading to the next. */
function holds(
  counters: BackendCounters,
  words: Uint32Array,
  row: number,
  width: number,
  cpus: number,
): boolean {
  for (let i = 0; i < NAMES.length; i++) {
    const place = PLACES[i]!
    const counted = place < width ? sumWord(words, { row, width, place }, cpus) : 0
    if (counters[NAMES[i]!] !== counted) return false
  }
  return true
}

function sumCpus(words: Uint32Array, row: number, width: number, cpus: number): BackendCounters {
  const counters: Partial<Record<keyof BackendCounters, number>> = {}
  for (const [i, name] of NAMES.entries()) {
    const place = PLACES[i]!
    counters[name] = place < width ? sumWord(words, { row, width, place }, cpus) : 0
  }
  return counters as BackendCounters
}

/** A counter of 64 bits in a map of rows for each CPU, all in 64-bit words. */
interface Counter {
  readonly row: number
  /** Of a row. */
  readonly width: number
  readonly place: number
}

/** Over CPUs. A number and not a bigint, which would take most of the time: exact up to 2^53. */
export function sumWord(words: Uint32Array, { row, width, place }: Counter, cpus: number): number {
  let sum = 0
  for (let cpu = 0; cpu < cpus; cpu++) {
    const at = 2 * ((row * cpus + cpu) * width + place)
    sum += words[at]! + words[at + 1]! * 2 ** 32
  }
  return sum
}
