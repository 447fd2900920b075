/** The sets of connection tables that an instance has: see execute/conn-tables.ts. */
import { enums } from '../abi/layout.generated.ts'
import { rowsOver } from '../abi/struct.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { ConnSets, KernelPort } from '../ports/kernel.ts'
import { missingPin } from './pins.ts'

export interface ConnSetsFound {
  readonly sets: ConnSets
  /** Connections that the tables of the current set were made for. */
  readonly capacity: number
}

export function readConnSets(kernel: KernelPort, paths: InstancePaths): ConnSetsFound {
  using meta = kernel.openMap(paths.meta)
  const value = meta?.lookup(new Uint8Array(4))
  if (!value) throw missingPin(paths.meta)
  const row = rowsOver('lb_meta', value)
  return {
    sets: {
      current: row.get(0, 'conn_set'),
      partitions: row.get(0, 'conn_partitions'),
      otherPartitions: row.get(0, 'conn_other_partitions'),
    },
    capacity: row.get(0, 'conn_capacity'),
  }
}

/** Connections of both families that the tables of a set hold. */
export function connectionsIn(kernel: KernelPort, paths: InstancePaths, set: number): number {
  const halves = (kernel.fs.list(paths.connFolder) ?? []).reduce((sum, pin) => {
    const row = Number(pin.slice('v4-'.length))
    if (Math.floor(row / enums.lb_limit.LB_CONN_PARTITIONS_MAX) !== set) return sum
    using map = kernel.openMap(`${paths.connFolder}/${pin}`)
    return sum + (map?.readAll().count ?? 0)
  }, 0)
  return Math.ceil(halves / 2)
}
