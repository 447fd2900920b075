/** Makes the checks that are due, and turns their results into what is known of targets. */
import { targetId } from '../../engine/abi/runtime.ts'
import { distinctChecks } from '../../engine/health/checks.ts'
import type { DistinctCheck } from '../../engine/health/checks.ts'
import { observe, observePassive, resumeHealth } from '../../engine/health/health.ts'
import type { Health } from '../../engine/health/health.ts'
import { allFinished, createSchedule, hasten, replaceChecks, start } from '../../engine/health/schedule.ts'
import type { BackendCounters } from '../../engine/model/counters.ts'
import type { ProbeResult } from '../../engine/model/probe.ts'
import { FRESH_RUNTIME } from '../../engine/model/runtime.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { HealthStatus } from '../../engine/model/status.ts'
import type { HostPort } from '../../engine/ports/host.ts'
import type { ProbePort } from '../../engine/ports/probe.ts'
import type { Inventory } from './inventory.ts'
import type { Records } from './records.ts'

/** Checks that run at once. */
const CONCURRENCY = 512

/** Checks that are due within so many milliseconds are begun together: each wake of the process has its price. */
const TICK_MS = 10

/** What the last check of a target found. */
type Checked = NonNullable<HealthStatus['last']>

interface Last extends Omit<Checked, 'at'> {
  readonly at: number
}

export interface Checker extends Disposable {
  readonly replace: (inventory: Inventory) => void
  /** Others may have changed what is known. */
  readonly resume: () => void
  /** Handshakes that the data plane saw fail: their targets are asked at once. */
  readonly passive: (inventory: Inventory, counted: ReadonlyMap<string, BackendCounters>) => void
  readonly last: (id: string) => Checked | undefined
}

export interface CheckerOptions {
  readonly host: HostPort
  readonly prober: ProbePort
  readonly records: Records
  /** Each conclusive result, for breakers and metrics. */
  readonly onResult: (key: TargetKey, result: ProbeResult) => void
}

export function makeChecker({ host, prober, records, onResult }: CheckerOptions): Checker {
  let schedule = createSchedule(CONCURRENCY)
  let checks: ReadonlyMap<string, DistinctCheck> = new Map()
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity
  const healths = new Map<string, Health>()
  const lasts = new Map<string, Last>()
  const ended: string[] = []
  let ending: NodeJS.Immediate | undefined
  const closing = new AbortController()

  const healthOf = (id: string): Health => healths.get(id) ?? resumeHealth(records.get(id).health)

  const run = (): void => {
    if (closing.signal.aborted) return
    const started = start(schedule, performance.now())
    schedule = started.schedule
    for (const id of started.ids) probe(id)
    if (started.wakeAt !== null) wake(started.wakeAt)
  }
  /** Not later than at that time. */
  const wake = (at: number): void => {
    if (timerAt <= at) return
    clearTimeout(timer)
    timerAt = Math.max(at, performance.now() + TICK_MS)
    timer = setTimeout(() => {
      timerAt = Infinity
      run()
    }, timerAt - performance.now())
  }
  /** After checks have ended. */
  const goOn = (): void => {
    ending = undefined
    const isFull = schedule.running.size >= schedule.limit
    schedule = allFinished(schedule, ended.splice(0), performance.now(), Math.random)
    if (isFull) run()
    else if (schedule.waiting) wake(schedule.waiting.entry.at)
  }
  const probe = (id: string): void => {
    const check = checks.get(id)
    if (!check) return
    void prober.probe(check.request, closing.signal).then((result) => {
      if (closing.signal.aborted) return
      // The check may be another one's by now, with other targets.
      for (const target of checks.get(id)?.targets ?? []) take(target, result)
      ended.push(id)
      ending ??= setImmediate(goOn)
    })
  }
  const take = ({ key, limits }: DistinctCheck['targets'][number], result: ProbeResult): void => {
    const id = targetId(key)
    const { ok, latencyMs, error } = result
    lasts.set(id, { at: Date.now(), ok, latencyMs, error })
    if (!result.ok && result.inconclusive) return
    const health = healthOf(id)
    const next = observe(health, ok, host.monotonicMs(), limits)
    healths.set(id, next)
    if (next.record !== health.record) records.change(key, (old) => ({ ...old, health: next.record }))
    onResult(key, result)
  }
  return {
    replace(inventory) {
      checks = distinctChecks(inventory.checked)
      const intervals = new Map([...checks].map(([id, { request }]) => [id, request.check.intervalMs]))
      schedule = replaceChecks(schedule, intervals, performance.now())
      for (const id of healths.keys()) if (!inventory.checkedIds.has(id)) healths.delete(id)
      for (const id of lasts.keys()) if (!inventory.checkedIds.has(id)) lasts.delete(id)
      for (const { id, key } of inventory.targets.values()) {
        // Nobody asks it any more: what was known is not known to be so.
        if (inventory.checkedIds.has(id) || records.get(id).health.state === 'unknown') continue
        records.change(key, (old) => ({ ...old, health: FRESH_RUNTIME.health }))
      }
      run()
    },
    resume() {
      for (const [id, { record }] of healths) {
        const { health } = records.get(id)
        if (health.state !== record.state || health.since !== record.since) healths.delete(id)
      }
    },
    passive(inventory, counted) {
      const wanted = new Set<string>()
      // Mostly there are none, and no need to go through all checks.
      if (![...counted.values()].some(({ refused, timedOut }) => refused + timedOut > 0)) return
      for (const [checkId, { targets }] of checks) {
        for (const { key, limits } of targets) {
          const kept = inventory.targets.get(targetId(key))
          const counters = kept && counted.get(kept.identity)
          const failures = counters ? counters.refused + counters.timedOut : 0
          if (!kept || failures === 0) continue
          const health = healthOf(kept.id)
          if (health.record.state !== 'healthy') continue
          healths.set(kept.id, observePassive(health, failures, limits))
          wanted.add(checkId)
        }
      }
      if (wanted.size === 0) return
      schedule = hasten(schedule, wanted, performance.now())
      run()
    },
    last(id) {
      const last = lasts.get(id)
      return last && { ...last, at: new Date(last.at).toISOString() }
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearImmediate(ending)
      closing.abort()
    },
  }
}
