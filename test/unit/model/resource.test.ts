import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedAttributes, sameJson } from '../../../src/engine/model/compare.ts'
import {
  escapePin,
  instancePaths,
  parseGenerationFolder,
  unescapePin,
} from '../../../src/engine/model/paths.ts'
import { DEFAULT_DAEMON_SETTINGS } from '../../../src/engine/model/policy.ts'
import {
  countResources,
  interfaceAddress,
  proxyAddress,
  resourcesOf,
  sourceRouteAddress,
  targetAddress,
} from '../../../src/engine/model/resource.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Deployment } from '../../../src/engine/model/snapshot.ts'
import { deployment, interfaceName, proxyName } from '../../support/arbitrary.ts'

describe('addresses', () => {
  test.each([
    ['web', 'proxy.web'],
    ['web-1_b', 'proxy.web-1_b'],
    ['dns.internal', 'proxy["dns.internal"]'],
    ['a b', 'proxy["a b"]'],
    ['a"b\\c', 'proxy["a\\"b\\\\c"]'],
    ['web.target["x"]', 'proxy["web.target[\\"x\\"]"]'],
    ['größe', 'proxy["größe"]'],
    ['', 'proxy[""]'],
  ])('proxy %o is %s', (name, address) => expect(proxyAddress(name)).toBe(address))

  test('of what is inside a proxy', () => {
    expect(targetAddress('web', '10.0.0.1', 80)).toBe('proxy.web.target["10.0.0.1:80"]')
    expect(targetAddress('a.b', 'fd00::1', 80)).toBe('proxy["a.b"].target["[fd00::1]:80"]')
    expect(sourceRouteAddress('web', '10.0.0.0/8')).toBe('proxy.web.sourceRoute["10.0.0.0/8"]')
  })

  test('of interfaces', () => {
    expect(interfaceAddress('eth0')).toBe('interface.eth0')
    expect(interfaceAddress('eth0.100')).toBe('interface["eth0.100"]')
  })

  test('no two names have the same', () => {
    fc.assert(
      fc.property(proxyName, proxyName, (a, b) => {
        expect(proxyAddress(a) === proxyAddress(b)).toBe(a === b)
      }),
    )
  })
})

describe('resources', () => {
  test('of a deployment: one each for proxies, targets, routes, interfaces and settings, but for usual ones of the daemon', () => {
    fc.assert(
      fc.property(deployment, (given) => {
        const { proxies, settings } = given.snapshot
        const parts = proxies.map((proxy) => 1 + proxy.defaultTarget.length + proxy.sourceRoutes.length)
        const count = parts.reduce((sum, n) => sum + n, 0) + given.attachments.length
        const ofDaemon = Object.entries(DEFAULT_DAEMON_SETTINGS)
        const usual = ofDaemon.filter(([key, value]) => isDeepStrictEqual(value, { ...settings }[key]))
        expect(resourcesOf(given).size).toBe(count + Object.keys(settings).length - usual.length)
        expect(countResources(given)).toBe(resourcesOf(given).size)
      }),
    )
  })

  test('say nothing of an interface that only the host can tell', () => {
    const given: Deployment = {
      snapshot: { proxies: [], interfaces: [], settings: { ...DEFAULT_SETTINGS, connectionTimeoutSec: 1 } },
      attachments: [
        { name: 'eth0', ifindex: 0, attach: 'auto', mode: 'tcx', roles: ['listen'], xdpXmit: false },
      ],
    }
    expect(resourcesOf(given).get('interface.eth0')).toEqual({
      attach: 'auto',
      mode: '(known on the host)',
      roles: ['listen'],
      ifindex: '(known on the host)',
      xdpRedirect: '(known on the host)',
    })
  })
})

describe('comparing attributes', () => {
  test('is by value, at any depth and in any order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(value as never, structuredClone(value) as never)).toBe(true)
      }),
    )
    expect(sameJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true)
    expect(sameJson({ a: 1 }, { a: 1, b: null })).toBe(false)
    expect(sameJson({ a: null }, { b: null })).toBe(false)
    expect(sameJson([], {})).toBe(false)
    expect(sameJson(null, {})).toBe(false)
  })

  test('names what differs', () => {
    const changed = changedAttributes({ b: 1, a: 1, same: 2 }, { b: 2, c: 3, same: 2 })
    expect(changed).toHaveLength(3)
    expect(changed).toEqual(
      expect.arrayContaining([
        { name: 'a', before: 1, after: undefined },
        { name: 'b', before: 1, after: 2 },
        { name: 'c', before: undefined, after: 3 },
      ]),
    )
  })
})

describe('paths', () => {
  test('interface names become names that bpffs takes, and come back', () => {
    expect(escapePin('eth0.100')).toBe('eth0%2e100')
    fc.assert(
      fc.property(interfaceName, (name) => {
        expect(escapePin(name)).not.toMatch(/[.:]/)
        expect(unescapePin(escapePin(name))).toBe(name)
      }),
    )
  })

  test('of an instance', () => {
    const paths = instancePaths('blue')
    expect(paths.link('eth0.1', 'tcx-egress')).toBe('/sys/fs/bpf/lb/blue/link/eth0%2e1:tcx-egress')
    expect(paths.conn(6, 3)).toBe('/sys/fs/bpf/lb/blue/conn/v6-3')
    expect(instancePaths('blue', '/x').active).toBe('/x/blue/active')
  })

  test('folders of generations', () => {
    expect(parseGenerationFolder('12')).toEqual({ number: 12, staged: false })
    expect(parseGenerationFolder('12-staged')).toEqual({ number: 12, staged: true })
    for (const name of ['', '0', '012', 'x', '1-', '1-staged-staged', '-1', '0-staged']) {
      expect(parseGenerationFolder(name), name).toBeUndefined()
    }
  })
})
