import { expect, test } from 'vitest'
import { trafficOf } from '../../../src/engine/live/traffic.ts'
import type { BackendCounters, CounterSnapshot } from '../../../src/engine/model/counters.ts'
import { proxy, snapshotOf } from '../execute/support.ts'

const COUNTED: BackendCounters = {
  packetsForward: 1,
  bytesForward: 10,
  packetsReverse: 2,
  bytesReverse: 20,
  opened: 100,
  closed: 30,
  established: 90,
  refused: 4,
  timedOut: 5,
  reset: 6,
  ended: 60,
  removed: 3,
}
const TRAFFIC = {
  packets: { forward: 1, reverse: 2 },
  bytes: { forward: 10, reverse: 20 },
  opened: 100,
  closed: 30,
  active: 40,
  refused: 4,
  timedOut: 5,
  reset: 6,
}

const counters = (...identities: string[]): CounterSnapshot =>
  new Map(identities.map((identity, row) => [identity, { row, counters: COUNTED }]))

test('of a target, a proxy and all: source routes too, each target once', () => {
  const web = proxy('web')
  const snapshot = snapshotOf([
    { ...web, sourceRoutes: [...web.sourceRoutes, { source: '10.9.0.0/16', targets: web.defaultTarget }] },
  ])
  const report = trafficOf(snapshot, counters('10.0.0.1:8080/tcp', '10.0.0.2:8080/tcp', '10.1.0.1:8080/tcp'))
  expect(report.proxies.map((one) => one.proxy)).toEqual(['web'])
  expect(report.proxies[0]!.targets.map(({ target }) => target)).toEqual(
    ['10.0.0.1', '10.0.0.2', '10.1.0.1'].map((ip) => ({ proxy: 'web', ip, port: 8080, protocol: 'tcp' })),
  )
  for (const { traffic } of report.proxies[0]!.targets) expect(traffic).toEqual(TRAFFIC)
  expect(report.proxies[0]!.traffic).toMatchObject({
    bytes: { forward: 30, reverse: 60 },
    opened: 300,
    active: 120,
  })
  expect(report.total).toEqual(report.proxies[0]!.traffic)
})

test('of a target without counters is zero', () => {
  const report = trafficOf(snapshotOf([proxy('web')]), new Map())
  expect(report.proxies[0]!.targets[0]!.traffic).toMatchObject({
    opened: 0,
    packets: { forward: 0, reverse: 0 },
  })
  expect(report.total.active).toBe(0)
})

test('of a backend that proxies share is each one’s, but once in all', () => {
  const report = trafficOf(
    snapshotOf([proxy('one'), proxy('two', { port: 81 })]),
    counters('10.0.0.1:8080/tcp'),
  )
  expect(report.proxies.map(({ traffic }) => traffic.opened)).toEqual([100, 100])
  expect(report.total.opened).toBe(100)
})

test('of the same address by another protocol is not its own', () => {
  const report = trafficOf(snapshotOf([proxy('web')]), counters('10.0.0.1:8080/udp'))
  expect(report.proxies[0]!.traffic.opened).toBe(0)
  expect(report.total.opened).toBe(100)
})

test('stays in the total when its target is removed, so that no counter goes back', () => {
  const counted = counters('10.0.0.1:8080/tcp', '10.0.0.2:8080/tcp')
  const before = trafficOf(snapshotOf([proxy('web')]), counted)
  const after = trafficOf(snapshotOf([proxy('web', { weights: [100] })]), counted)
  expect(after.total).toEqual(before.total)
  expect(before.total).toEqual({ ...TRAFFIC, ...sums(2) })
})

/** TRAFFIC of so many backends together. */
function sums(n: number) {
  const scale = (value: number | { forward: number; reverse: number }) =>
    typeof value === 'number' ? n * value : { forward: n * value.forward, reverse: n * value.reverse }
  return Object.fromEntries(Object.entries(TRAFFIC).map(([name, value]) => [name, scale(value)]))
}
