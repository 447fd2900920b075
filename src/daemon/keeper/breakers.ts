/** The circuit breakers of targets: outcomes in, what is known of them out. */
import {
  breakerRuntime,
  errorRate,
  nextDeadline,
  observe,
  resumeBreaker,
  tick,
} from '../../engine/breaker/breaker.ts'
import type { Breaker, BreakerTransition } from '../../engine/breaker/breaker.ts'
import { targetId } from '../../engine/abi/runtime.ts'
import { outcomesOf } from '../../engine/model/counters.ts'
import type { BackendCounters, Outcomes } from '../../engine/model/counters.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { HostPort } from '../../engine/ports/host.ts'
import { NOTHING } from './inventory.ts'
import type { Inventory } from './inventory.ts'
import type { Records } from './records.ts'

export interface Breakers {
  readonly replace: (inventory: Inventory) => void
  /** Others may have changed what is known. */
  readonly resume: () => void
  readonly counted: (counted: ReadonlyMap<string, BackendCounters>) => void
  readonly probed: (key: TargetKey, ok: boolean) => void
  /** What follows from the time. */
  readonly tick: () => void
  readonly errorRate: (id: string) => number
}

export type OnTransition = (key: TargetKey, transition: BreakerTransition) => void

export function makeBreakers(host: HostPort, records: Records, onTransition: OnTransition): Breakers {
  let inventory = NOTHING
  const breakers = new Map<string, Breaker>()
  const of = (id: string): Breaker => breakers.get(id) ?? resumeBreaker(records.get(id).breaker)

  const take = (id: string, key: TargetKey, outcomes: Outcomes): void => {
    const policy = inventory.settings.circuitBreaker
    if (!policy.enabled) return
    const now = host.monotonicMs()
    breakers.set(id, observe(of(id), outcomes, now, policy))
    decide(id, key, now)
  }
  const decide = (id: string, key: TargetKey, now: number): void => {
    const before = of(id)
    const { breaker, transition } = tick(before, now, inventory.settings.circuitBreaker)
    if (breaker !== before) breakers.set(id, breaker)
    if (breaker.state === before.state && breaker.since === before.since) return
    const was = records.get(id).breaker
    const next = breakerRuntime(breaker)
    records.change(key, (old) => {
      // Somebody steered it by hand meanwhile: that holds.
      const same = old.breaker.since === was.since && old.breaker.forced === was.forced
      return same ? { ...old, breaker: next } : old
    })
    if (transition) onTransition(key, transition)
  }
  return {
    replace(next) {
      inventory = next
      for (const id of breakers.keys()) if (!next.targets.has(id)) breakers.delete(id)
    },
    resume() {
      for (const [id, { state, since, forced }] of breakers) {
        const known = records.get(id).breaker
        if (known.state !== state || known.since !== since || known.forced !== forced) breakers.delete(id)
      }
    },
    counted(counted) {
      for (const { id, key, identity } of inventory.targets.values()) {
        const counters = counted.get(identity)
        if (counters) take(id, key, outcomesOf(counters))
      }
    },
    probed(key, ok) {
      take(targetId(key), key, { successes: ok ? 1 : 0, errors: ok ? 0 : 1 })
    },
    tick() {
      const now = host.monotonicMs()
      const policy = inventory.settings.circuitBreaker
      for (const { id, key } of inventory.targets.values()) {
        const deadline = nextDeadline(of(id), policy)
        if (deadline !== null && now >= deadline) decide(id, key, now)
      }
    },
    errorRate: (id) => errorRate(of(id), host.monotonicMs(), inventory.settings.circuitBreaker),
  }
}
