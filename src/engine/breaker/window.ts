/** Outcomes of the latest time, gathered in a bounded number of buckets. */
import type { Outcomes } from '../model/counters.ts'

/** Parts of a window. What is in it is forgotten when it is between 19/20 of the window and all of it old. */
export const BUCKETS = 20

interface Bucket extends Outcomes {
  /** When the time begins that it is for. */
  readonly at: number
}

/** Buckets by time, the latest last. */
export type Window = readonly Bucket[]

export const NO_WINDOW: Window = []

/**
 * Without buckets that are older than the window. Those from the future are kept, but not beyond a
 * window's length: a clock that was set back leaves them behind.
 */
export function forget(window: Window, now: number, sizeMs: number): Window {
  const kept = window.filter(({ at }) => Math.abs(now - at) < sizeMs)
  return kept.length === window.length ? window : kept
}

/** @param sizeMs Infinity: one bucket for all times */
export function addOutcomes(window: Window, outcomes: Outcomes, now: number, sizeMs: number): Window {
  const width = Math.ceil(sizeMs / BUCKETS)
  const at = sizeMs === Infinity ? 0 : now - (now % width)
  const kept = forget(window, now, sizeMs)
  const after = kept.findIndex((bucket) => bucket.at >= at)
  const place = after < 0 ? kept.length : after
  const same = kept[place]?.at === at ? kept[place] : undefined
  const bucket = {
    at,
    successes: outcomes.successes + (same?.successes ?? 0),
    errors: outcomes.errors + (same?.errors ?? 0),
  }
  return [...kept.slice(0, place), bucket, ...kept.slice(same ? place + 1 : place)]
}

/** What the buckets hold together. Never fewer than no successes: corrections may outlive what they correct. */
export function totalOf(window: Window): Outcomes {
  let successes = 0
  let errors = 0
  for (const bucket of window) {
    successes += bucket.successes
    errors += bucket.errors
  }
  return { successes: Math.max(0, successes), errors }
}
