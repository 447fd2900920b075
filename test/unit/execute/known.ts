/** What is known of the targets of a proxy `web` on a fake host, for the tests of it. */
import { expect } from 'vitest'
import { effectiveSelection } from '../../../src/engine/abi/selection.ts'
import { updateRuntime } from '../../../src/engine/execute/runtime.ts'
import { u32s } from '../../../src/engine/live/decode.ts'
import { readRuntimes, readWeightLog } from '../../../src/engine/live/runtime.ts'
import { hasChanges } from '../../../src/engine/model/plan.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'
import type { TargetKey, TargetRuntime } from '../../../src/engine/model/runtime.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { fakeState } from '../../support/fake-kernel-state.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'
import { applying, fresh, INSTANCE, liveOf, must, planFor, proxy, snapshotOf } from './support.ts'

export const root = `/sys/fs/bpf/lb/${INSTANCE}`
export const web = (host: number): TargetKey => ({
  proxy: 'web',
  ip: `10.0.0.${host}`,
  port: 8080,
  protocol: 'tcp',
})

export type Change = (old: TargetRuntime) => TargetRuntime
export const down: Change = (old) => ({ ...old, health: { state: 'unhealthy', since: 5, recovery: 4 } })
export const up: Change = (old) => ({ ...old, health: { state: 'healthy', since: 9, recovery: 4 } })
export const drain: Change = (old) => ({
  ...old,
  drain: { state: 'draining', since: 7, deadline: 0, initial: 3 },
})
export const undrain: Change = (old) => ({ ...old, drain: FRESH_RUNTIME.drain })

export const three = snapshotOf([proxy('web', { weights: [50, 30, 20] })])

export function applied(...snapshots: readonly Snapshot[]): FakeState {
  const state = fakeState()
  for (const snapshot of snapshots) must(state, applying(snapshot))
  return state
}

export const update = (state: FakeState, keys: readonly TargetKey[], change: Change) =>
  updateRuntime(fresh(state), keys, change)

export function selectionOf(state: FakeState, generation = liveOf(state).generation): number[] {
  using map = fresh(state).kernel.openMap(`${root}/gen/${generation}/selection`)
  return [...u32s(map?.readAll().values ?? new Uint8Array())]
}

/** Entries of the first list of a hundred, by row of backends. */
export function counts(state: FakeState, from = 0): number[] {
  const run = selectionOf(state).slice(from, from + 100)
  return [0, 1, 2].map((row) => run.filter((entry) => entry === row).length)
}

export function runtimesOf(state: FakeState) {
  const { kernel, paths } = fresh(state)
  return readRuntimes(kernel, paths)
}

export function historyOf(state: FakeState, key: TargetKey): string[] {
  const { kernel, paths } = fresh(state)
  return readWeightLog(kernel, paths, key).map(({ from, to, cause }) => `${from} ${to} ${cause}`)
}

export function expectSettled(state: FakeState, snapshot: Snapshot): void {
  const { deployment, drift } = liveOf(state)
  expect(drift).toEqual([])
  expect(hasChanges(planFor(state, snapshot).plan)).toBe(false)
  expect(selectionOf(state)).toEqual([...effectiveSelection(deployment, runtimesOf(state))])
}
