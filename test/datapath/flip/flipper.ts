import { setImmediate } from 'node:timers/promises'
import type { BpfMap } from '../../../native/index.ts'

/** Flips between looks at whether the work is done. */
const BURST = 512

/**
 * Makes one slot active and then the other, as an apply does and as fast as this process can, until
 * `work`, which another process does, is done. How often it did.
 */
export async function flipDuring(
  active: BpfMap,
  slots: readonly [number, number],
  work: () => Promise<void>,
): Promise<number> {
  const key = new Uint8Array(4)
  const [one, other] = slots.map((slot) => new Uint8Array(Uint32Array.of(slot).buffer)) as [
    Uint8Array,
    Uint8Array,
  ]
  const state = { done: false, flips: 0 }
  const working = work().finally(() => {
    state.done = true
  })
  // Until it is awaited below, nobody else looks at its failure.
  working.catch(() => undefined)
  while (!state.done) {
    for (let i = 0; i < BURST; i += 2) {
      active.update(key, one)
      active.update(key, other)
    }
    state.flips += BURST
    await setImmediate()
  }
  await working
  return state.flips
}
