/**
 * When which check is made. Times are milliseconds of a clock that is never set, such as performance.now().
 *
 * Each check has a place of its own in its interval, by a hash of its id: however many there are and whenever they
 * were added, they are spread over the interval and stay so. A small random part, which the caller passes in,
 * keeps two load balancers from asking a target in step for ever. The first check of a
 * new target does not wait for its place: it is made within a second, spread likewise.
 *
 * No more than `limit` checks run at once. What is due beyond that waits, the longest due first.
 */
import { add, entriesOf, type Heap, removeFirst } from './heap.ts'

export interface Schedule {
  readonly limit: number
  readonly checks: ReadonlyMap<string, Place>
  readonly waiting: Heap | null
  readonly running: ReadonlyMap<string, Run>
  readonly nextTicket: number
}

interface Run {
  readonly ticket: number
  readonly since: number
}

interface Place {
  readonly intervalMs: number
  /** Milliseconds after each multiple of the interval. */
  readonly offset: number
  /** Of the one entry of `waiting`, or of `running`, that counts for this check: others are left-overs. */
  readonly ticket: number
}

/** The random part, as a share of the interval to either side. */
const JITTER = 0.05
const FIRST_WITHIN_MS = 1000

/** A schedule without checks, for `limit` at once. */
export function createSchedule(limit: number): Schedule {
  return { limit, checks: new Map(), waiting: null, running: new Map(), nextTicket: 1 }
}

/** These checks, by id, and no others from now on. Those that were there before keep their times. */
export function replaceChecks(
  schedule: Schedule,
  intervals: ReadonlyMap<string, number>,
  now: number,
): Schedule {
  const checks = new Map<string, Place>()
  const fresh: { at: number; id: string; ticket: number }[] = []
  let { nextTicket } = schedule
  for (const [id, intervalMs] of intervals) {
    const known = schedule.checks.get(id)
    const ticket = known?.ticket ?? schedule.running.get(id)?.ticket ?? nextTicket++
    const place = known ?? { intervalMs, offset: hash(id) % intervalMs, ticket }
    checks.set(id, place)
    if (known || schedule.running.has(id)) continue
    fresh.push({ at: now + (place.offset % Math.min(FIRST_WITHIN_MS, intervalMs)), id, ticket })
  }
  // Left-overs would pile up from reload to reload.
  const kept = entriesOf(schedule.waiting).filter(({ id, ticket }) => checks.get(id)?.ticket === ticket)
  const waiting = [...kept, ...fresh].reduce<Heap | null>(add, null)
  return { ...schedule, checks, waiting, nextTicket }
}

export interface Started {
  readonly schedule: Schedule
  /** The checks to make now. */
  readonly ids: readonly string[]
  /** When to call again, if nothing else happens before; `null`: after a `finished` or with other checks. */
  readonly wakeAt: number | null
}

/** Takes what is due, as far as the limit allows. */
export function start(schedule: Schedule, now: number): Started {
  let { waiting } = schedule
  // Copied once there is something to start: mostly there is not.
  let running: Map<string, Run> | undefined
  const ids: string[] = []
  while (waiting !== null) {
    const { at, id, ticket } = waiting.entry
    const isStale = schedule.checks.get(id)?.ticket !== ticket
    const isFull = (running ?? schedule.running).size >= schedule.limit
    if (!isStale && (at > now || isFull)) break
    waiting = removeFirst(waiting)
    if (isStale) continue
    running ??= new Map(schedule.running)
    running.set(id, { ticket, since: now })
    ids.push(id)
  }
  const next = { ...schedule, waiting, running: running ?? schedule.running }
  const isFull = next.running.size >= schedule.limit
  return { schedule: next, ids, wakeAt: waiting === null || isFull ? null : waiting.entry.at }
}

/** The check has its result: it is due again at its place in the next interval. `random`: 0 to 1. */
export function finished(schedule: Schedule, id: string, now: number, random: number): Schedule {
  return allFinished(schedule, [id], now, () => random)
}

/** The same for checks that ended at about the same time: cheaper than one after the other. */
export function allFinished(
  schedule: Schedule,
  ids: Iterable<string>,
  now: number,
  random: () => number,
): Schedule {
  const running = new Map(schedule.running)
  let { waiting } = schedule
  for (const id of ids) {
    const run = running.get(id)
    if (!run) continue
    running.delete(id)
    const place = schedule.checks.get(id)
    if (place?.ticket !== run.ticket) continue
    waiting = add(waiting, { at: nextTime(place, run.since, now, random()), id, ticket: run.ticket })
  }
  return { ...schedule, running, waiting }
}

/**
 * Checks that are wanted now, as something else says that their targets fail. Those that run are left to run.
 * Called with every reading of the data plane's counters, so no more than one check more in that time.
 */
export function hasten(schedule: Schedule, ids: Iterable<string>, now: number): Schedule {
  const checks = new Map(schedule.checks)
  let { waiting, nextTicket } = schedule
  for (const id of ids) {
    const place = checks.get(id)
    if (!place || schedule.running.has(id)) continue
    const ticket = nextTicket++
    checks.set(id, { ...place, ticket })
    waiting = add(waiting, { at: now, id, ticket })
  }
  return { ...schedule, checks, waiting, nextTicket }
}

function nextTime({ intervalMs, offset }: Place, since: number, now: number, random: number): number {
  // Half an interval at least between two: one that was late, or not at its place, must not be followed at once.
  const earliest = Math.max(since + intervalMs / 2, now)
  const place = Math.ceil((earliest - offset) / intervalMs) * intervalMs + offset
  return Math.max(now, place + (2 * random - 1) * JITTER * intervalMs)
}

/** FNV-1a over the code units, its bits mixed so that remainders are even too. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
