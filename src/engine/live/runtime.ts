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
import { u32s } from './decode.ts'
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
  /** Whose record each row is; `undefined`: it is no target's. */
  readonly ids: readonly (string | undefined)[]
}

const decoded = new WeakMap<InstancePaths, Decoded>()

/**
 * What the map `runtime` holds. The daemon reads it each second and with most changes, and mostly all rows, or all but
 * a few, are what they were: those are not decoded again.
 */
export function decodeAgain(paths: InstancePaths, entries: Entries): RuntimeState {
  const before = decoded.get(paths)
  const now =
    before && sameBytes(before.entries.keys, entries.keys)
      ? updated(before, entries)
      : decodeRuntimes(entries)
  decoded.set(paths, now)
  return now
}

export function decodeRuntimes(entries: Entries): Decoded {
  const runtimes = new Map<string, RuntimeRecord>()
  const ids: (string | undefined)[] = []
  let pending = false
  for (let row = 0; row < entries.count; row++) {
    const bytes = entries.keys.subarray(row * RUNTIME_KEY_SIZE, (row + 1) * RUNTIME_KEY_SIZE)
    const key = decodeRuntimeKey(bytes)
    const id = key && targetId(key)
    ids.push(id)
    if (key && id !== undefined) runtimes.set(id, { key, runtime: runtimeIn(entries, row) })
    else pending ||= sameBytes(bytes, PENDING_KEY)
  }
  return { runtimes, pending, entries, ids }
}

/** With the same keys in the same order. */
function updated(before: Decoded, entries: Entries): Decoded {
  const from = u32s(before.entries.values)
  const to = u32s(entries.values)
  let runtimes: Map<string, RuntimeRecord> | undefined
  for (let word = 0; word < to.length; word++) {
    if (from[word] === to[word]) continue
    const row = Math.trunc(word / ROW_WORDS)
    const id = before.ids[row]
    if (id !== undefined) {
      runtimes ??= new Map(before.runtimes)
      runtimes.set(id, { key: runtimes.get(id)!.key, runtime: runtimeIn(entries, row) })
    }
    word = (row + 1) * ROW_WORDS - 1
  }
  return { ...before, runtimes: runtimes ?? before.runtimes, entries }
}

const ROW_WORDS = RUNTIME_SIZE / 4

function runtimeIn({ values }: Entries, row: number): TargetRuntime {
  return decodeRuntime(values.subarray(row * RUNTIME_SIZE, (row + 1) * RUNTIME_SIZE))
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
