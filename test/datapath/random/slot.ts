/**
 * The tables of one slot, written anew in place: putting others into their place makes the kernel wait
 * for all CPUs, every time.
 */
import { writeInners, type BpfMap, type BpfObject } from '../../../native/index.ts'
import { createTable, emptyMap } from '../support/plane.ts'
import type { Table, Tables } from '../support/tables.ts'

/** Entries that each table has room for. */
const ROOM = 256
const NUMBERS = new Uint8Array(Uint32Array.from({ length: ROOM }, (_, i) => i).buffer)

export interface SlotWriter {
  write(tables: Tables): void
  close(): void
}

export function slotWriter(object: BpfObject, slot: number): SlotWriter {
  const maps = new Map<string, BpfMap>()

  function place(name: string, table: Table): BpfMap {
    const none = new Uint8Array(0)
    const inner = createTable(name, { ...table, keys: none, values: none }, ROOM)
    using outer = object.map(name)
    writeInners([{ outer, key: new Uint8Array(Uint32Array.of(slot).buffer), inner }])
    maps.set(name, inner)
    return inner
  }

  return {
    write(tables) {
      for (const [name, table] of Object.entries(tables)) {
        overwrite(maps.get(name) ?? place(name, table), table)
      }
    },
    close() {
      for (const map of maps.values()) map.close()
    },
  }
}

function overwrite(map: BpfMap, { type, keys, values, valueSize }: Table): void {
  if (type === 'array') {
    const all = new Uint8Array(ROOM * valueSize)
    all.set(values)
    map.updateBatch(NUMBERS, all)
    return
  }
  emptyMap(map)
  if (keys.length > 0) map.updateBatch(keys, values)
}
