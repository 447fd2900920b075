import { describe, expect, test } from 'vitest'
import { statusOf } from '../../../src/engine/live/status.ts'
import { NO_COUNTERS } from '../../../src/engine/model/counters.ts'
import { LOAD_ONE } from '../../../src/engine/model/runtime.ts'
import type { TargetStatus } from '../../../src/engine/model/status.ts'
import { applied, down, drain, runtimesOf, three, update, web } from '../execute/known.ts'
import { liveOf, testHost } from '../execute/support.ts'
import { fakeState, type FakeState } from '../../support/fake-kernel-state.ts'

const counted = (opened: number, ended: number) => ({
  row: 0,
  counters: { ...NO_COUNTERS, opened, ended, closed: 1 },
})

function status(state: FakeState) {
  const counters = new Map([
    ['10.0.0.1:8080/tcp', counted(7, 2)],
    ['10.1.0.1:8080/tcp', counted(3, 0)],
    ['10.0.0.2:8080/udp', counted(100, 0)],
  ])
  const facts = { live: liveOf(state), provenance: undefined, runtimes: runtimesOf(state), counters }
  const more = { confirmation: undefined, removals: [], clocks: testHost.clocks() }
  return statusOf({ ...facts, ...more }, undefined)
}

/** One line of each target of the first proxy. */
const told = (state: FakeState): string[] =>
  status(state).proxies[0]!.targets.map(
    ({ ip, share, effectiveShare, factor, cause, health, drain: { state: drained }, connections }) =>
      `${ip} ${share} -> ${effectiveShare} % (${factor / LOAD_ONE}, ${cause}), ${health.state}, ${drained}, ${connections}`,
  )

const targetOf = (state: FakeState, ip: string): TargetStatus =>
  status(state).proxies[0]!.targets.find((target) => target.ip === ip)!

describe('the status', () => {
  test('of nothing', () => {
    expect(status(fakeState())).toMatchObject({ generation: null, drift: [], daemon: null, proxies: [] })
  })

  test('of targets says their shares, what takes them off, and their connections', () => {
    const [given] = three.proxies
    const targets = given!.defaultTarget.map((target, i) =>
      i === 1 ? { ...target, drain: true as const } : target,
    )
    const state = applied({ ...three, proxies: [{ ...given!, defaultTarget: targets }] })
    update(state, [web(3)], down)
    expect(told(state)).toEqual([
      '10.0.0.1 50 -> 100 % (1, configured), unknown, none, 5',
      '10.0.0.2 30 -> 0 % (0, drain), unknown, draining, 0',
      '10.0.0.3 20 -> 0 % (0, health), unhealthy, none, 0',
      '10.1.0.1 100 -> 100 % (1, configured), unknown, none, 3',
    ])
    expect(status(state)).toMatchObject({ generation: { number: 1, createdAt: null, sources: [] } })
    expect(status(state).proxies[0]).toMatchObject({ name: 'web', connections: 8 })
  })

  test('of a drain says since when, and of what never was nothing', () => {
    const state = applied(three)
    update(state, [web(1)], drain)
    expect(targetOf(state, '10.0.0.1').drain).toEqual({
      ...{ state: 'draining', since: '2025-12-31T23:59:59.007Z', deadline: null, initial: 3 },
    })
    expect(targetOf(state, '10.0.0.2').drain).toEqual({
      state: 'none',
      since: null,
      deadline: null,
      initial: 0,
    })
    update(state, [web(1)], (old) => ({ ...old, drain: { ...old.drain, state: 'completed' } }))
    expect(targetOf(state, '10.0.0.1').drain.state).toBe('completed')
  })
})
