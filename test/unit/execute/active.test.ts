import { expect, test } from 'vitest'
import { activeGeneration } from '../../../src/engine/execute/active.ts'
import { fakeState } from '../../support/fake-kernel-state.ts'
import { applying, destroying, fresh, liveOf, must, proxy, rollingBack, snapshotOf } from './support.ts'

/** Of one process, all the time, while others change what serves. */
test('the generation that serves is found whatever others did, also where slots are used again', () => {
  const state = fakeState()
  const watching = fresh(state)
  const seen = () => {
    const active = activeGeneration(watching)
    return (
      active && {
        path: active.path,
        weights: active.deployment.snapshot.proxies[0]!.defaultTarget[0]!.weight,
      }
    )
  }
  const slots = new Map<number, number>()
  for (let first = 1; first <= 20; first++) {
    const { generation } = must(
      state,
      applying(snapshotOf([proxy('web', { weights: [first, 100 - first] })]), { keep: 2 }),
    )
    const { slot } = liveOf(state)
    slots.set(slot, (slots.get(slot) ?? 0) + 1)
    // Not with each one: what it found before may be gone, and its slot another one's.
    if (first % 3 !== 0) continue
    expect(seen()).toEqual({ path: `/sys/fs/bpf/lb/test/gen/${generation}`, weights: first })
  }
  expect(Math.max(...slots.values())).toBeGreaterThan(1)
  must(state, rollingBack(19))
  expect(seen()).toMatchObject({ weights: 19 })
  must(state, destroying)
  expect(seen()).toBeUndefined()
})
