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
  return map ? decodeRuntimes(map.readAll()) : { runtimes: new Map(), pending: false }
}

export function decodeRuntimes({ count, keys, values }: Entries): RuntimeState {
  const runtimes = new Map<string, RuntimeRecord>()
  let pending = false
  for (let row = 0; row < count; row++) {
    const bytes = keys.subarray(row * RUNTIME_KEY_SIZE, (row + 1) * RUNTIME_KEY_SIZE)
    const key = decodeRuntimeKey(bytes)
    if (!key) {
      pending ||= sameBytes(bytes, PENDING_KEY)
      continue
    }
    const runtime = decodeRuntime(values.subarray(row * RUNTIME_SIZE, (row + 1) * RUNTIME_SIZE))
    runtimes.set(targetId(key), { key, runtime })
  }
  return { runtimes, pending }
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
