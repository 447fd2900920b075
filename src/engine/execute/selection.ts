/** Writes entries of a generation's table of selection in place: each is one aligned word, valid by itself. */
import { u32s } from '../live/decode.ts'
import { LbError } from '../model/errors.ts'
import type { MapPort } from '../ports/kernel.ts'
import type { World } from './world.ts'

/** A stretch of the table. */
export interface Stretch {
  readonly first: number
  readonly entries: ArrayLike<number>
}

/** For the caller to close. @throws LbError `state` where it is not there */
export function openSelection({ kernel }: World, folder: string): MapPort {
  const map = kernel.openMap(`${folder}/selection`)
  if (map) return map
  throw new LbError('state', `${folder}/selection is missing`, {
    hint: '`lb plan` shows what is damaged, `lb apply` repairs it',
  })
}

/** Writes those entries that differ; how many there were. */
export function writeStretches(map: MapPort, stretches: readonly Stretch[]): number {
  const current = u32s(map.readAll().values)
  const rows: number[] = []
  const values: number[] = []
  for (const { first, entries } of stretches) {
    for (let i = 0; i < entries.length; i++) {
      if (current[first + i] === entries[i]) continue
      rows.push(first + i)
      values.push(entries[i]!)
    }
  }
  if (rows.length > 0) map.updateBatch(bytesOf(rows), bytesOf(values))
  return rows.length
}

function bytesOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer)
}
