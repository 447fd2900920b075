/**
 * Makes a generation the one that packets see. Its entries of selection are brought up to date with what is known
 * of targets first, so that going back never sends traffic to a target that is known to be down.
 */
import { PENDING_KEY } from '../abi/runtime.ts'
import { effectiveSelection } from '../abi/selection.ts'
import { sameBytes } from '../abi/tables.ts'
import type { LiveTables } from '../live/read.ts'
import { readRuntimeState } from '../live/runtime.ts'
import { LbError } from '../model/errors.ts'
import type { Deployment } from '../model/snapshot.ts'
import { setActive } from './bootstrap.ts'
import { openSelection, writeStretches } from './selection.ts'
import type { World } from './world.ts'

export interface Candidate {
  readonly slot: number
  /** The folder of its pins. */
  readonly path: string
  readonly deployment: Deployment
}

/** @throws LbError `kernel` where selection does not read back as written: then it was not made active. */
export function activate(world: World, candidate: Candidate): void {
  const { kernel, paths } = world
  using _lock = kernel.lock(paths.generations)
  const pending = refresh(world, candidate)
  setActive(world, candidate.slot)
  if (!pending) return
  using records = kernel.openMap(paths.runtime)
  records?.delete(PENDING_KEY)
}

/** Everything but the flip. */
export function rehearse(world: World, candidate: Candidate): void {
  using _lock = world.kernel.lock(world.paths.generations)
  refresh(world, candidate)
}

/** Back to what served before: up to date where that can be, and in any case. */
export function reactivate(world: World, { live, folder }: LiveTables): void {
  if (!folder || !live.applied) {
    setActive(world, live.slot)
    return
  }
  try {
    activate(world, { slot: live.slot, path: folder.path, deployment: live.applied })
  } catch (error) {
    setActive(world, live.slot)
    throw error
  }
}

/** Whether somebody had begun to change what is known, and not finished. */
function refresh(world: World, { path, deployment }: Candidate): boolean {
  const { runtimes, pending } = readRuntimeState(world.kernel, world.paths)
  using map = openSelection(world, path)
  const entries = effectiveSelection(deployment, runtimes)
  const expected = new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength)
  // The kernel has no empty arrays.
  const fits = map.info.maxEntries === Math.max(1, entries.length)
  // Where nothing is written, what was compared with is what is there.
  const written = fits ? writeStretches(map, [{ first: 0, entries }]) : 0
  const isSame = (): boolean => sameBytes(expected, map.readAll().values.subarray(0, expected.length))
  if (!fits || (written > 0 && !isSame())) {
    throw new LbError('kernel', `${path}/selection does not read back as written`)
  }
  return pending
}
