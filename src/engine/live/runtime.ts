/** What is known of targets at run time, read from the maps `runtime` and `weight_log`. */
import {
  decodeLog,
  decodeRuntime,
  decodeRuntimeKey,
  encodeRuntimeKey,
  PENDING_KEY,
  RUNTIME_KEY_SIZE,
  RUNTIME_SIZE,
  targetId,
} from '../abi/runtime.ts'
import type { RuntimeRecord, Runtimes } from '../abi/runtime.ts'
import { sameBytes } from '../abi/tables.ts'
import type { InstancePaths } from '../model/paths.ts'
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey, TargetRuntime, WeightChange } from '../model/runtime.ts'
import type { Entries, KernelPort, MapPort } from '../ports/kernel.ts'

export interface RuntimeState {
  readonly runtimes: Runtimes
  /** A change of them was begun and not finished: selection may be behind. */
  readonly pending: boolean
}

/** Of all targets. Nothing is known where the map is not there. */
export function readRuntimes(kernel: KernelPort, paths: InstancePaths): Runtimes {
  return readRuntimeState(kernel, paths).runtimes
}

export function readRuntimeState(kernel: KernelPort, paths: InstancePaths): RuntimeState {
  using map = kernel.openMap(paths.runtime)
  return map ? decodeAgain(paths, map.readAll()) : { runtimes: new Map(), pending: false }
}

interface Decoded extends RuntimeState {
  readonly entries: Entries
  /** Of each row; `undefined`: it is no target's. */
  readonly records: readonly (RuntimeRecord | undefined)[]
}

const decoded = new WeakMap<InstancePaths, Decoded>()

/**
 * What the map `runtime` holds. The daemon reads it each second and with most changes, and mostly all rows, or all but
 * a few, are what they were: those are not decoded again.
 */
export function decodeAgain(paths: InstancePaths, entries: Entries): RuntimeState {
  const before = decoded.get(paths)
  const isSame =
    before?.entries.count === entries.count &&
    sameBytes(before.entries.keys, entries.keys) &&
    sameBytes(before.entries.values, entries.values)
  if (isSame) return before
  const now = decodeRuntimes(entries, before)
  decoded.set(paths, now)
  return now
}

export function decodeRuntimes(entries: Entries, before?: Decoded): Decoded {
  const runtimes = new Map<string, RuntimeRecord>()
  const records: (RuntimeRecord | undefined)[] = []
  let pending = false
  for (let row = 0; row < entries.count; row++) {
    const known = before?.records[row]
    const record = known && isSameRow(before.entries, entries, row) ? known : decodeRow(entries, row)
    records.push(record)
    if (record) runtimes.set(targetId(record.key), record)
    else pending ||= sameBytes(keyOf(entries, row), PENDING_KEY)
  }
  return { runtimes, pending, entries, records }
}

const keyOf = ({ keys }: Entries, row: number): Uint8Array =>
  keys.subarray(row * RUNTIME_KEY_SIZE, (row + 1) * RUNTIME_KEY_SIZE)

function isSameRow(a: Entries, b: Entries, row: number): boolean {
  return (
    isSamePart(a.keys, b.keys, row, RUNTIME_KEY_SIZE) && isSamePart(a.values, b.values, row, RUNTIME_SIZE)
  )
}

function isSamePart(a: Uint8Array, b: Uint8Array, row: number, size: number): boolean {
  for (let i = row * size; i < (row + 1) * size; i++) if (a[i] !== b[i]) return false
  return true
}

function decodeRow(entries: Entries, row: number): RuntimeRecord | undefined {
  const key = decodeRuntimeKey(keyOf(entries, row))
  if (!key) return undefined
  const value = entries.values.subarray(row * RUNTIME_SIZE, (row + 1) * RUNTIME_SIZE)
  return { key, runtime: decodeRuntime(value) }
}

/** Of one target; `FRESH_RUNTIME` where nothing is known. */
export function lookupRuntime(map: MapPort, key: TargetKey): TargetRuntime {
  const value = map.lookup(encodeRuntimeKey(key))
  return value ? decodeRuntime(value) : FRESH_RUNTIME
}

/** The latest changes of a target's weight, oldest first. */
export function readWeightLog(kernel: KernelPort, paths: InstancePaths, key: TargetKey): WeightChange[] {
  using map = kernel.openMap(paths.weightLog)
  const log = map?.lookup(encodeRuntimeKey(key))
  return log ? decodeLog(log) : []
}

/** Of one target. */
export function readRuntime(kernel: KernelPort, paths: InstancePaths, key: TargetKey): TargetRuntime {
  using map = kernel.openMap(paths.runtime)
  return map ? lookupRuntime(map, key) : FRESH_RUNTIME
}
