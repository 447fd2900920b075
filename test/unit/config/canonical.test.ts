import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCanonicalYaml, toConfigObject } from '../../../src/engine/config/canonical.ts'
import { toKeyword } from '../../../src/engine/config/syntax/edn.ts'
import { readAnyYaml } from '../../../src/engine/config/syntax/yaml.ts'
import { readPlainYaml } from '../../../src/engine/config/syntax/plain-yaml.ts'
import { toValue } from '../../../src/engine/config/syntax/node.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { snapshot } from './arbitrary.ts'
import { load } from './report.ts'

/** Any JSON value as EDN, keys as keywords where they are words of the language. */
function toEdn(value: unknown, inInterfaces = false): string {
  if (Array.isArray(value)) return `[${value.map((item) => toEdn(item)).join(' ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(
    ([key, item]) =>
      `${inInterfaces ? JSON.stringify(key) : toKeyword(key)} ${toEdn(item, key === 'interfaces')}`,
  )
  return `{${pairs.join(', ')}}`
}

/** The same value with the keys of all objects in the opposite order. */
function backwards<T>(value: T): T {
  if (Array.isArray(value)) return value.map(backwards) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, backwards(item as unknown)])
  return Object.fromEntries(entries.reverse()) as T
}

describe('canonical form', () => {
  it('loads to the snapshot that it was made from, and prints the same again', () => {
    fc.assert(
      fc.property(snapshot, (given) => {
        const text = toCanonicalYaml(given)
        const loaded = load(text)
        expect(loaded).toEqual(given)
        expect(toCanonicalYaml(loaded)).toBe(text)
      }),
    )
  })

  it('does not depend on the order in which a snapshot was put together', () => {
    fc.assert(
      fc.property(snapshot, (given) => {
        expect(toCanonicalYaml(backwards(given))).toBe(toCanonicalYaml(given))
      }),
    )
  })

  it('as JSON and as EDN loads to the same snapshot', () => {
    fc.assert(
      fc.property(snapshot, (given) => {
        const object = toConfigObject(given)
        expect(load(JSON.stringify(object), 'json')).toEqual(given)
        expect(load(JSON.stringify(object, null, '\t'), 'json')).toEqual(given)
        expect(load(toEdn(object), 'edn')).toEqual(given)
      }),
    )
  })

  it('is read by both YAML readers alike', () => {
    fc.assert(
      fc.property(snapshot, (given) => {
        const text = toCanonicalYaml(given)
        const { root } = readAnyYaml(text)
        expect(root && toValue(root)).toEqual({ ...toConfigObject(given) })
        const plain = readPlainYaml(text)
        if (plain?.root) expect(toValue(plain.root)).toEqual(root && toValue(root))
      }),
    )
  })

  it('is minimal', () => {
    const text = toCanonicalYaml({
      proxies: [
        {
          name: 'web',
          listen: { interfaces: ['eth0', 'eth1'], address: '2001:db8::1', port: 443, protocol: 'tcp' },
          forwarding: 'nat',
          defaultTarget: [{ ip: 'fd00::1', port: 8443, weight: null }],
          sourceRoutes: [
            { source: '2001:db8::/32', targets: [{ ip: 'fd00::2', port: 1, weight: 100 }] },
            {
              source: 'fd00::/8',
              targets: [
                { ip: 'fd00::3', port: 1, weight: 40 },
                { ip: 'fd00::4', port: 1, weight: 60 },
              ],
            },
          ],
        },
        {
          name: 'yes',
          listen: { interfaces: ['1'], address: null, port: 53, protocol: 'udp' },
          forwarding: 'nat',
          defaultTarget: [
            { ip: '10.0.0.1', port: 53, weight: null },
            { ip: '10.0.0.2', port: 53, weight: null },
          ],
          sourceRoutes: [],
        },
      ],
      interfaces: [
        { name: 'eth0', attach: 'auto' },
        { name: 'eth1', attach: 'tcx' },
      ],
      settings: { ...DEFAULT_SETTINGS, connectionTimeoutSec: 60 },
    })
    expect(text).toBe(`version: 1
proxies:
  - name: web
    listen: { interfaces: [eth0, eth1], address: "2001:db8::1", port: 443, protocol: tcp }
    forwarding: nat
    defaultTarget: { ip: "fd00::1", port: 8443 }
    sourceRoutes:
      - source: "2001:db8::/32"
        target: { ip: "fd00::2", port: 1, weight: 100 }
      - source: "fd00::/8"
        targets:
          - { ip: "fd00::3", port: 1, weight: 40 }
          - { ip: "fd00::4", port: 1, weight: 60 }
  - name: "yes"
    listen: { interfaces: ["1"], port: 53, protocol: udp }
    forwarding: nat
    defaultTarget:
      - { ip: 10.0.0.1, port: 53 }
      - { ip: 10.0.0.2, port: 53 }
interfaces:
  eth0: { attach: auto }
  eth1: { attach: tcx }
settings:
  connectionTimeoutSec: 60
`)
  })

  it('of nothing is a configuration, too', () => {
    const empty: Snapshot = { proxies: [], interfaces: [], settings: DEFAULT_SETTINGS }
    expect(toCanonicalYaml(empty)).toBe('version: 1\nproxies: []\n')
    expect(load(toCanonicalYaml(empty))).toEqual(empty)
  })
})
