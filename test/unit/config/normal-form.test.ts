/** What loading makes of a configuration without mistakes. */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/engine/config/load.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { load, problemsOf, proxyWith, rulesOf } from './report.ts'

describe('normal form', () => {
  it('has every default, canonical addresses and canonical order', () => {
    const text = `
proxies:
  - name: b
    listen: { interfaces: [eth1, eth0], address: 2001:DB8:0:0::0001, port: 53, protocol: udp }
    defaultTarget:
      - { ip: fd00:0::2, port: 9 }
      - { ip: fd00::10, port: 1 }
      - { ip: fd00::2, port: 8 }
    sourceRoutes:
      - { source: 2001:db8::1, target: { ip: fd00::1, port: 1 } }
      - { source: "::/0", targets: [{ ip: fd00::2, port: 1, weight: 60 }, { ip: fd00::1, port: 1, weight: 40 }] }
  - { name: a, listen: { interfaces: [eth0], port: 010 }, defaultTarget: { ip: 10.0.0.1, port: 8080 } }
interfaces: { eth1: { attach: tcx }, eth0: {} }
`
    expect(load(text)).toEqual({
      proxies: [
        {
          name: 'a',
          listen: { interfaces: ['eth0'], address: null, port: 10, protocol: 'tcp' },
          forwarding: 'nat',
          defaultTarget: [{ ip: '10.0.0.1', port: 8080, weight: null }],
          sourceRoutes: [],
        },
        {
          name: 'b',
          listen: { interfaces: ['eth0', 'eth1'], address: '2001:db8::1', port: 53, protocol: 'udp' },
          forwarding: 'nat',
          defaultTarget: [
            { ip: 'fd00::10', port: 1, weight: null },
            { ip: 'fd00::2', port: 8, weight: null },
            { ip: 'fd00::2', port: 9, weight: null },
          ],
          sourceRoutes: [
            { source: '2001:db8::1/128', targets: [{ ip: 'fd00::1', port: 1, weight: null }] },
            {
              source: '::/0',
              targets: [
                { ip: 'fd00::1', port: 1, weight: 40 },
                { ip: 'fd00::2', port: 1, weight: 60 },
              ],
            },
          ],
        },
      ],
      interfaces: [
        { name: 'eth0', attach: 'auto' },
        { name: 'eth1', attach: 'tcx' },
      ],
      settings: DEFAULT_SETTINGS,
    } satisfies Snapshot)
  })

  it.each(['0.0.0.0', '"::"'])('%s is any address', (address) => {
    const target = address === '0.0.0.0' ? '10.0.0.1' : 'fd00::1'
    const text = proxyWith({
      listen: `{ interfaces: [eth0], port: 80, address: ${address} }`,
      defaultTarget: `{ ip: ${target}, port: 80 }`,
    })
    expect(load(text).proxies[0]?.listen.address).toBeNull()
  })
})

describe('presence', () => {
  it('of nothing to read is an error', () => {
    expect(loadConfig([])).toEqual({
      ok: false,
      problems: [{ severity: 'error', rule: 'no-files', message: 'There is no configuration file to read' }],
    })
  })

  it('of no proxies is meant where it is written', () => {
    expect(problemsOf('proxies: []')).toEqual([])
    expect(rulesOf('version: 1')).toEqual(['no-proxies'])
    expect(rulesOf('settings: { connectionTimeoutSec: 0 }')).toEqual(['1:35 out-of-range'])
  })
})
