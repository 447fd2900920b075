/** Outcomes of the latest time, gathered in a bounded number of buckets. */
import type { Outcomes } from '../model/counters.ts'

/** Parts of a window. What is in it is forgotten when it is between 19/20 of the window and all of it old. */
export const BUCKETS = 20

interface Bucket extends Outcomes {
  /** When the time begins that it is for. */
  readonly at: number
}

/** One bucket for each part of the time, in no order. */
export type Window = readonly Bucket[]

export const NO_WINDOW: Window = []

/** Without buckets that are older than the window. */
export function forget(window: Window, now: number, sizeMs: number): Window {
  const kept = window.filter(({ at }) => now - at < sizeMs)
  return kept.length === window.length ? window : kept
}

/**
 * Buckets are those of this size: what a window of another size had gathered is put into them.
 * @param sizeMs Infinity: one bucket for all times
 */
export function addOutcomes(window: Window, outcomes: Outcomes, now: number, sizeMs: number): Window {
  const width = Math.ceil(sizeMs / BUCKETS)
  const buckets = new Map<number, Bucket>()
  for (const { at, successes, errors } of [...forget(window, now, sizeMs), { at: now, ...outcomes }]) {
    const begin = sizeMs === Infinity ? 0 : at - (at % width)
    const same = buckets.get(begin) ?? { successes: 0, errors: 0 }
    buckets.set(begin, {
      at: begin,
      successes: same.successes + successes,
      errors: same.errors + errors,
    })
  }
  return [...buckets.values()]
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
