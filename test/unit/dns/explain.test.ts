import { expect, test } from 'vitest'
import { explain } from '../../../src/engine/dns/explain.ts'
import { knownAddresses } from '../../../src/engine/dns/known.ts'
import type { Answer, ResolutionFailure } from '../../../src/engine/model/resolution.ts'
import { DEFAULT_SETTINGS, type Origin, type Snapshot } from '../../../src/engine/model/snapshot.ts'

const bad = (failure: ResolutionFailure): Answer => ({ ok: false, failure, error: failure })
const good = (...addresses: string[]): Answer => ({ ok: true, addresses, ttlSec: 1 })

test.each<[Answer, Answer, string]>([
  [bad('not-found'), bad('not-found'), 'not-found'],
  [bad('no-data'), bad('no-data'), 'the name has no address'],
  [bad('no-data'), good(), 'the name has no address'],
  [good('0.0.0.0'), bad('no-data'), 'the name has no address that can be used'],
  [bad('no-data'), bad('timeout'), 'timeout'],
  [bad('not-found'), bad('server'), 'server'],
  [bad('server'), bad('timeout'), 'timeout'],
])('%o and %o: %s', (ipv4, ipv6, expected) => {
  expect(explain([ipv4, ipv6])).toBe(expected)
  expect(explain([ipv6, ipv4])).toBe(expected)
})

test('what a snapshot has of names: targets anywhere, and sources', () => {
  const origin = (host: string): Origin => ({ host, weight: null, dnsRefreshSeconds: 30 })
  const of = (ip: string, host?: string): Snapshot['proxies'][number]['defaultTarget'][number] => ({
    ...{ ip, port: 80, weight: null },
    ...(host !== undefined && { origin: origin(host) }),
  })
  const snapshot: Snapshot = {
    proxies: [
      {
        ...{ name: 'web', forwarding: 'nat' },
        listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp' },
        defaultTarget: [of('10.0.0.2', 'a'), of('10.0.0.1', 'a'), of('10.0.0.9')],
        sourceRoutes: [
          { source: '10.1.0.0/16', targets: [of('10.0.0.1', 'a'), of('10.0.0.3', 'b')] },
          { source: '10.2.0.1/32', origin: 'c', targets: [of('10.0.0.9')] },
        ],
      },
    ],
    interfaces: [],
    settings: DEFAULT_SETTINGS,
  }
  expect([...knownAddresses(snapshot)]).toEqual([
    ['a', ['10.0.0.1', '10.0.0.2']],
    ['b', ['10.0.0.3']],
    ['c', ['10.2.0.1']],
  ])
})
