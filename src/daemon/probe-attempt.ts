/** One probe from its start to its end: the first outcome counts, time is bounded, nothing stays open. */
import { setMaxListeners } from 'node:events'
import type { ProbeResult } from '../engine/model/probe.ts'

export type Outcome =
  { readonly ok: true } | { readonly ok: false; readonly error: string; readonly inconclusive: boolean }

export type Settle = (outcome: Outcome) => void

/** Begins to ask and returns what ends it: called once, after the outcome. */
export type Begin = (settle: Settle) => () => void

export const SUCCESS: Outcome = { ok: true }

export function failure(error: string): Outcome {
  return { ok: false, error, inconclusive: false }
}

export function inconclusive(error: string): Outcome {
  return { ok: false, error, inconclusive: true }
}

/** A timer that comes later than this was held up by other work of this process. */
const LATE_MS = 20

export function attempt(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  begin: Begin,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let end: (() => void) | undefined
    let outcome: Outcome | undefined
    let timer: NodeJS.Timeout | undefined

    const settle: Settle = (first) => {
      if (outcome) return
      outcome = first
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      end?.()
      const latencyMs = performance.now() - startedAt
      resolve(outcome.ok ? { ok: true, latencyMs, error: null } : { ...outcome, latencyMs })
    }
    const abort = (): void => settle(inconclusive('aborted'))
    const timeUp = (): void => settle(failure(`timeout after ${timeoutMs} ms`))

    const wait = (ms: number, isExtended: boolean): NodeJS.Timeout => {
      const due = performance.now() + ms
      return setTimeout(() => {
        // An answer that came while this process was busy (applying a large configuration, say) is read after the
        // timers. Time in which nothing could be read does not count, or one long step makes all targets sick.
        const late = performance.now() - due
        if (late > LATE_MS && !isExtended) timer = wait(Math.min(late, timeoutMs), true)
        else setImmediate(timeUp)
      }, ms)
    }

    if (signal?.aborted) {
      abort()
      return
    }
    if (signal) {
      // One signal ends all probes: more than ten are no leak.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', abort)
    }
    timer = wait(timeoutMs, false)
    try {
      end = begin(settle)
    } catch (error) {
      settle(inconclusive(error instanceof Error ? error.message : String(error)))
    }
    if (outcome) end?.()
  })
}
