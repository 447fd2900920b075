/** The tables of a generation against what an apply made them from, and what is known of targets now. */
import { compile } from '../abi/compile.ts'
import type { Runtimes } from '../abi/runtime.ts'
import { effectiveSelection, isReduced } from '../abi/selection.ts'
import { arrayImage, sameBytes, TABLE_NAMES, TABLES } from '../abi/tables.ts'
import type { TableImage, TableImages } from '../abi/tables.ts'
import type { Drift } from '../model/plan.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { TableDigests } from './digests.ts'
import { tableDrift } from './drift.ts'
import type { Manifest } from './manifest.ts'

/** Rows that are not as they were compiled, and entries of selection that are not as what is known asks for. */
export function driftSince(
  manifest: Manifest,
  images: TableImages,
  digests: TableDigests,
  runtimes: Runtimes,
): Drift[] {
  const { deployment, counters } = manifest
  const effective = effectiveImage(deployment, runtimes)
  const same = TABLE_NAMES.every((name) => {
    if (name === 'selection' && effective) return sameBytes(effective.values, images.selection.values)
    return manifest.digests[name] === digests[name]
  })
  if (same) return []
  const compiled = compile(deployment, counters)
  const expected = effective ? { ...compiled, selection: effective } : compiled
  return tableDrift(deployment, expected, images)
}

/** The table of selection; `undefined` where it is as configured, which its digest tells without compiling. */
function effectiveImage(deployment: Deployment, runtimes: Runtimes): TableImage | undefined {
  if (!isReduced(deployment, runtimes)) return undefined
  const { buffer } = effectiveSelection(deployment, runtimes).slice()
  return arrayImage(new Uint8Array(buffer), TABLES.selection.valueSize)
}

/**
 * Rows of a generation that does not serve that are not as they were compiled. Its selection is what was known when
 * it served last: that is brought up to date before it serves again, so it is not looked at but for its length.
 */
export function driftOfLoaded(manifest: Manifest, images: TableImages, digests: TableDigests): Drift[] {
  return driftSince(manifest, images, digests, new Map()).filter(({ where }) => where !== 'table selection')
}
