import { describe, expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Deployment, Proxy } from '../../../src/engine/model/snapshot.ts'
import { removedTargets, wantedBy } from '../../../src/engine/plan/removals.ts'

interface Given {
  readonly name?: string
  readonly address?: string | null
  readonly interfaces?: readonly string[]
  readonly routed?: readonly number[]
  readonly ends?: number
}

/** A proxy with targets 10.0.0.n:8080. */
function proxy(targets: readonly number[], given: Given = {}): Proxy {
  const { name = 'web', address = null, interfaces = ['eth0'], routed, ends } = given
  const list = (hosts: readonly number[]) =>
    hosts.map((n) => ({ ip: `10.0.0.${n}`, port: 8080, weight: null }))
  return {
    name,
    listen: { interfaces, address, port: 80, protocol: 'tcp' },
    forwarding: 'nat',
    defaultTarget: list(targets),
    sourceRoutes: routed ? [{ source: '192.0.2.0/24', targets: list(routed) }] : [],
    ...(ends !== undefined && { endRemovedAfterSec: ends }),
  }
}

const deployment = (...proxies: Proxy[]): Deployment => ({
  snapshot: { proxies, interfaces: [], settings: DEFAULT_SETTINGS },
  attachments: [],
})

const removed = (before: readonly Proxy[], after: readonly Proxy[]): string[] =>
  removedTargets(deployment(...before), deployment(...after)).map(
    ({ proxy: name, ip, endAfterSec }) => `${name} ${ip} ${endAfterSec ?? 'never'}`,
  )

describe('what a change takes away', () => {
  test.each<[string, readonly Proxy[], readonly Proxy[], readonly string[]]>([
    ['nothing', [proxy([1, 2])], [proxy([1, 2])], []],
    ['a target that comes', [proxy([1])], [proxy([1, 2])], []],
    ['a target that goes', [proxy([1, 2])], [proxy([1])], ['web 10.0.0.2 never']],
    [
      'by what the proxy says from now on',
      [proxy([1, 2], { ends: 9 })],
      [proxy([1], { ends: 0 })],
      ['web 10.0.0.2 0'],
    ],
    ['or says no more', [proxy([1, 2], { ends: 9 })], [proxy([1])], ['web 10.0.0.2 never']],
    [
      'by what it said, where it goes',
      [proxy([2, 1], { ends: 9 })],
      [],
      ['web 10.0.0.1 9', 'web 10.0.0.2 9'],
    ],
    ['not what another list has', [proxy([1, 2], { routed: [1] })], [proxy([2], { routed: [1] })], []],
    ['from a route', [proxy([1], { routed: [2, 3] })], [proxy([1], { routed: [3] })], ['web 10.0.0.2 never']],
    ['what moves between lists', [proxy([1], { routed: [2] })], [proxy([2], { routed: [1] })], []],
    [
      'of each proxy for itself',
      [proxy([1], { name: 'a', ends: 5 }), proxy([1, 2], { name: 'b', address: '10.1.0.1' })],
      [proxy([3], { name: 'a', ends: 5 }), proxy([1, 2], { name: 'b', address: '10.1.0.1' })],
      ['a 10.0.0.1 5'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(removed(before, after)).toEqual(expected)
  })
})

describe('what is wanted of connections', () => {
  const at = (address: string | null, n = 1) => ({
    listener: { address, port: 80, protocol: 'tcp' as const },
    ip: `10.0.0.${n}`,
    port: 8080,
  })
  const exact = proxy([1], { name: 'exact', address: '10.1.0.1' })
  const any = proxy([1], { name: 'any' })

  test.each<[string, readonly Proxy[], string | null, boolean]>([
    ['whose listener has the target', [any], null, true],
    ['of another name', [proxy([1], { name: 'new' })], null, true],
    ['that nobody has', [proxy([2])], null, false],
    ['that nobody listens for', [], null, false],
    ['of an address that falls to the listener on any', [any], '10.1.0.1', true],
    [
      'of an address whose own listener has it no more',
      [any, proxy([2], { address: '10.1.0.1' })],
      '10.1.0.1',
      false,
    ],
    ['of any address, where only one address has it', [exact, proxy([2])], null, false],
    [
      'of the same listener on another interface',
      [proxy([2]), proxy([1], { name: 'x', interfaces: ['eth1'] })],
      null,
      true,
    ],
  ])('%s', (_, proxies, address, expected) => {
    expect(wantedBy(deployment(...proxies).snapshot).has(at(address))).toBe(expected)
  })

  test('addresses that keep what any address loses', () => {
    const wanted = wantedBy(deployment(exact, proxy([2])).snapshot)
    expect(wanted.exceptions(at(null))).toEqual(['10.1.0.1'])
    expect(wanted.exceptions(at(null, 2))).toEqual([])
    expect(wanted.exceptions(at('10.1.0.1'))).toEqual([])
  })
})
