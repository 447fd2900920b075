/** Rows of the pinned maps of maps: all at once, because the kernel takes its time with each. */
import { missingPin } from '../live/pins.ts'
import type { InnerRow, KernelPort, MapPort } from '../ports/kernel.ts'
import { u32 } from './keys.ts'

export interface Row {
  /** Where the map of maps is pinned. */
  readonly outer: string
  readonly index: number
}

export interface FilledRow extends Row {
  readonly inner: MapPort
}

/**
 * Puts the maps that `collect` adds into their rows, and closes them, also where it fails.
 * @throws LbError `state` where a map of maps is missing
 */
export function fillRows(kernel: KernelPort, collect: (rows: FilledRow[]) => void): void {
  const rows: FilledRow[] = []
  try {
    collect(rows)
    write(kernel, rows, missingPin)
  } finally {
    for (const { inner } of rows) inner[Symbol.dispose]()
  }
}

/** Rows, or whole maps of maps, that are not there are fine. */
export function emptyRows(kernel: KernelPort, rows: readonly Row[]): void {
  write(kernel, rows)
}

function write(
  kernel: KernelPort,
  rows: readonly (Row & Partial<FilledRow>)[],
  missing?: (path: string) => Error,
): void {
  const outers = new Map<string, MapPort>()
  try {
    for (const { outer: path } of rows) {
      const outer = outers.has(path) ? undefined : kernel.openMap(path)
      if (outer) outers.set(path, outer)
      else if (missing && !outers.has(path)) throw missing(path)
    }
    const found = rows.flatMap(({ outer: path, index, inner }): InnerRow[] => {
      const outer = outers.get(path)
      return outer ? [{ outer, key: u32(index), inner }] : []
    })
    if (found.length > 0) kernel.writeInners(found)
  } finally {
    for (const outer of outers.values()) outer[Symbol.dispose]()
  }
}
