/**
 * Ending the connections of removed targets. When they end is written down before the flip, for the generation that
 * is about to serve, and holds while it does: killed at any time, what serves and what ends go together, and going
 * back spares what it brings back. The kernel's sweep does the rest, without any process of lb.
 */
import {
  decodeRemoval,
  encodeRemoval,
  encodeWindow,
  REMOVED_KEY_SIZE,
  REMOVED_SIZE,
  slotOfRow,
} from '../abi/removed.ts'
import type { RemovedRow } from '../abi/removed.ts'
import { removalsOf } from '../live/removals.ts'
import type { Removal, RemovedTarget } from '../model/removal.ts'
import type { Deployment, Proxy } from '../model/snapshot.ts'
import { removedTargets, wantedBy } from '../plan/removals.ts'
import type { Wanted } from '../plan/removals.ts'
import type { MapPort } from '../ports/kernel.ts'
import { startSweep } from './bootstrap.ts'
import { counterRow } from './counters.ts'
import type { Candidate } from './activate.ts'
import { tidyUp } from './restore.ts'
import type { OnStep, World } from './world.ts'

/** For so long after the last deadline the sweep looks for connections to end. */
const GRACE_MS = 60_000

export interface Serving {
  readonly slot: number
  readonly deployment: Deployment
}

/**
 * Writes down what ends once `next` serves in the place of `serving`: what was to end already, and what is removed by
 * it. Returns whether any of it ends at once.
 */
export function writeRemovals(
  world: World,
  serving: Serving,
  next: Pick<Candidate, 'slot' | 'deployment'>,
  onStep: OnStep,
): boolean {
  const { kernel, paths, host } = world
  using map = kernel.openMap(paths.removed)
  // Programs of before there was such a thing.
  if (!map) return false
  const now = host.monotonicMs()
  const removed = endingTargets(serving.deployment, next.deployment)
  if (removed.length === 0 && !hasRows(map, serving.slot) && !hasRows(map, next.slot)) return false
  const wanted = wantedBy(next.deployment.snapshot)
  const known = removalsOf(map, serving.slot).filter(
    (removal) => removal.deadline !== null && now < removal.deadline + GRACE_MS && isOwner(world, removal),
  )
  const fresh = removed.flatMap((target) => withRow(world, target, now))
  // The first of the same: what was to end earlier still does.
  const all = [...known, ...fresh].filter((removal) => !wanted.has(removal))
  clear(map, serving.slot)
  const rows = rowsFor(next.slot, all, wanted)
  const room = map.info.maxEntries - map.readAll().count - 1
  const written = rows.slice(0, Math.max(0, room))
  write(map, next.slot, all, written)
  if (fresh.length > 0) onStep('remove', describe(fresh.length, rows.length - written.length))
  return all.some(({ deadline }) => deadline !== null && deadline <= now)
}

/** After the flip: what is to end at once need not wait for the sweep to come round. */
export function endAtOnce({ kernel, paths }: World, onStep: OnStep): void {
  tidyUp(onStep, () => {
    using program = kernel.openProgram(paths.program('sweep_start'))
    if (program) startSweep(program)
    return undefined
  })
}

function describe(targets: number, left: number): string {
  const what = `connections of ${targets} removed targets are to end`
  return left === 0 ? what : `${what}; there is no room to remember ${left}, whose connections live on`
}

/** Most configurations say nothing of it, and most proxies stay as they are. */
function endingTargets(before: Deployment, after: Deployment): RemovedTarget[] {
  const ends = ({ endRemovedAfterSec }: Proxy): boolean => endRemovedAfterSec !== undefined
  const stay = new Map(after.snapshot.proxies.map((proxy) => [proxy.name, proxy]))
  const names = new Set(
    before.snapshot.proxies.filter((proxy) => ends(stay.get(proxy.name) ?? proxy)).map(({ name }) => name),
  )
  if (names.size === 0) return []
  const of = ({ snapshot, attachments }: Deployment): Deployment => ({
    attachments,
    snapshot: { ...snapshot, proxies: snapshot.proxies.filter(({ name }) => names.has(name)) },
  })
  return removedTargets(of(before), of(after))
}

/** None where nothing was ever counted for it. */
function withRow(world: World, { endAfterSec, ...target }: RemovedTarget, now: number): Removal[] {
  const row = counterRow(world, target.ip, target.port, target.listener.protocol)
  if (row === undefined || endAfterSec === null) return []
  return [{ ...target, row, deadline: now + 1000 * endAfterSec }]
}

/** Whether the counters are still those of that backend: only then are its connections. */
function isOwner(world: World, { ip, port, listener, row }: Removal): boolean {
  return counterRow(world, ip, port, listener.protocol) === row
}

function rowsFor(slot: number, removals: readonly Removal[], wanted: Wanted): RemovedRow[] {
  const spared = removals.flatMap((removal) =>
    wanted.exceptions(removal).map((address): Removal => {
      return { ...removal, listener: { ...removal.listener, address }, deadline: null }
    }),
  )
  const rows = new Map<string, RemovedRow>()
  // Where there is no room for all, none is missing that spares something.
  for (const removal of [...spared, ...removals]) {
    const row = encodeRemoval(slot, removal)
    const key = row.key.join()
    if (!rows.has(key)) rows.set(key, row)
  }
  return [...rows.values()]
}

/** A generation that has rows has the one that stands for all: it comes first and goes last. */
function hasRows(map: MapPort, slot: number): boolean {
  return map.lookup(encodeWindow(slot, 0, 0).key) !== undefined
}

/** All rows but those of one generation. */
function clear(map: MapPort, kept: number): void {
  const { count, keys } = map.readAll()
  const all = Array.from({ length: count }, (_, i) =>
    keys.subarray(i * REMOVED_KEY_SIZE, (i + 1) * REMOVED_KEY_SIZE),
  ).filter((key) => slotOfRow(key) !== kept)
  const isWindow = (key: Uint8Array): boolean =>
    decodeRemoval(key, new Uint8Array(REMOVED_SIZE)) === undefined
  for (const key of all) if (!isWindow(key)) map.delete(key)
  for (const key of all) if (isWindow(key)) map.delete(key)
}

function write(map: MapPort, slot: number, removals: readonly Removal[], rows: readonly RemovedRow[]): void {
  if (rows.length === 0) return
  const deadlines = removals.flatMap(({ deadline }) => (deadline === null ? [] : [deadline]))
  const first = deadlines.reduce((a, b) => Math.min(a, b))
  const last = deadlines.reduce((a, b) => Math.max(a, b))
  const window = encodeWindow(slot, first, last + GRACE_MS)
  map.update(window.key, window.value)
  for (const { key, value } of rows) map.update(key, value)
}
