import { describe, expect, test } from 'vitest'
import { sameLists } from '../../../src/engine/abi/numbering.ts'
import type { Proxy, Target } from '../../../src/engine/model/snapshot.ts'
import { proxy, snapshotOf } from '../execute/support.ts'

const target: Target = { ip: '10.1.0.1', port: 8080, weight: 50 }
const given: Proxy = {
  ...proxy('web'),
  defaultTarget: [target, { ...target, ip: '10.1.0.2' }],
  sourceRoutes: ['192.0.2.0/25', '192.0.2.128/25'].map((source) => ({ source, targets: [target] })),
}
const [first, second] = given.sourceRoutes
const same = (...proxies: readonly Proxy[]): boolean => {
  const deployment = { snapshot: snapshotOf([given]), attachments: [] }
  return sameLists(deployment, { ...deployment, snapshot: snapshotOf(proxies) })
}

describe('two deployments have the same lists of targets', () => {
  test.each<[string, Partial<Proxy>]>([
    ['nothing', {}],
    ['the port', { listen: { ...given.listen, port: 81 } }],
    ['the source of a route', { sourceRoutes: [first!, { ...second!, source: '198.51.100.0/24' }] }],
    ['nothing but the objects', { defaultTarget: structuredClone(given.defaultTarget) }],
  ])('that differ in %s', (_, changes) => {
    expect(same({ ...given, ...changes })).toBe(true)
  })

  const replaced = (changes: Partial<Target>): Partial<Proxy> => ({
    defaultTarget: [target, { ...target, ip: '10.1.0.2', ...changes }],
  })
  test.each<[string, Partial<Proxy>]>([
    ['the name', { name: 'api' }],
    ['the protocol', { listen: { ...given.listen, protocol: 'udp' } }],
    ['an address', replaced({ ip: '10.1.0.3' })],
    ['a port', replaced({ port: 8081 })],
    ['a weight', replaced({ weight: 49 })],
    ['a drain', replaced({ drain: true })],
    ['one target more', { defaultTarget: [...given.defaultTarget, target] }],
    ['one target less', { defaultTarget: [target] }],
    ['one route less', { sourceRoutes: [first!] }],
    ['one route more', { sourceRoutes: [first!, second!, first!] }],
    ['the first route', { sourceRoutes: [{ ...first!, targets: [] }, second!] }],
    ['the last route', { sourceRoutes: [first!, { ...second!, targets: [{ ...target, port: 1 }] }] }],
  ])('but not where they differ in %s', (_, changes) => {
    expect(same({ ...given, ...changes })).toBe(false)
  })

  test('but not where one has a proxy more', () => {
    expect(same()).toBe(false)
    expect(same(given, { ...given, name: 'api' })).toBe(false)
  })
})
