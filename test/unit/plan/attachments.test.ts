import { describe, expect, test } from 'vitest'
import { LbError } from '../../../src/engine/model/errors.ts'
import type { NetInterface, NetRoute } from '../../../src/engine/model/host.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Attach, Attachment, Proxy, Snapshot } from '../../../src/engine/model/snapshot.ts'
import {
  automaticMode,
  offlineAttachments,
  resolveAttachments,
  targetAddresses,
} from '../../../src/engine/plan/attachments.ts'
import { fakeInterface } from '../../support/fake-kernel-state.ts'

const xdp = { native: true, redirect: true, xmit: true }
const card = fakeInterface('eth0', 2, { driver: 'virtio_net', xdp })
const veth = fakeInterface('eth1', 3, { xdp })
const spare = fakeInterface('eth2', 4, { driver: 'ixgbe', xdp: { ...xdp, xmit: false } })

const proxyOn = (...interfaces: string[]): Proxy => ({
  name: 'web',
  listen: { interfaces, address: null, port: 80, protocol: 'tcp' },
  forwarding: 'nat',
  defaultTarget: [{ ip: '10.0.0.1', port: 80, weight: null }],
  sourceRoutes: [{ source: '0.0.0.0/0', targets: [{ ip: '10.0.0.2', port: 80, weight: null }] }],
})

const snapshot = (proxies: readonly Proxy[], attach: Readonly<Record<string, Attach>> = {}): Snapshot => ({
  proxies,
  interfaces: Object.entries(attach).map(([name, way]) => ({ name, attach: way })),
  settings: DEFAULT_SETTINGS,
})

const via = (ifindex: number, type: NetRoute['type'] = 'unicast'): NetRoute => ({
  ifindex,
  gateway: undefined,
  type,
})

function resolve(given: Snapshot, routes: Readonly<Record<string, NetRoute>> = {}): Attachment[] {
  return resolveAttachments(given, {
    interfaces: [card, veth, spare],
    routes: Object.values(routes),
  })
}

describe('choosing a way to attach', () => {
  test.each<[string, Partial<NetInterface>, 'xdp' | 'tcx']>([
    ['a card whose driver has XDP', { driver: 'virtio_net', xdp }, 'xdp'],
    ['a card that cannot redirect', { driver: 'e1000e', xdp: { ...xdp, redirect: false } }, 'tcx'],
    ['a card without XDP', { driver: 'e1000e', xdp: { native: false, redirect: true, xmit: true } }, 'tcx'],
    ['a kernel that does not tell', { driver: 'virtio_net', xdp: undefined }, 'tcx'],
    ['veth, which would lose offloads', { driver: 'veth', xdp }, 'tcx'],
    ['a bridge', { driver: 'bridge', xdp }, 'tcx'],
    ['a bond', { driver: 'bonding', xdp }, 'tcx'],
    ['a VLAN', { driver: '802.1Q VLAN Support', xdp }, 'tcx'],
    ['a driver without a name', { driver: '', xdp }, 'tcx'],
  ])('%s', (_, options, mode) => expect(automaticMode(fakeInterface('x', 9, options))).toBe(mode))

  test.each(['xdp', 'xdp-generic', 'tcx', 'none'] as const)('what the configuration says: %s', (attach) => {
    const [attachment] = resolve(snapshot([proxyOn('eth1')], { eth1: attach }))
    expect(attachment).toMatchObject({ name: 'eth1', attach, mode: attach })
  })
})

describe('interfaces to attach to', () => {
  test('are those of listeners, of ways to targets, and those named', () => {
    const given = snapshot([proxyOn('eth1')], { eth2: 'auto' })
    expect(resolve(given, { '10.0.0.1': via(2), '10.0.0.2': via(3) })).toEqual([
      { name: 'eth0', ifindex: 2, attach: 'auto', mode: 'xdp', roles: ['backend'], xdpXmit: true },
      { name: 'eth1', ifindex: 3, attach: 'auto', mode: 'tcx', roles: ['listen', 'backend'], xdpXmit: true },
      { name: 'eth2', ifindex: 4, attach: 'auto', mode: 'xdp', roles: ['configured'], xdpXmit: false },
    ])
  })

  test('are not those of targets on this host, or that cannot be reached', () => {
    const given = snapshot([proxyOn('eth1')])
    for (const type of ['local', 'blackhole', 'unreachable', 'prohibit', 'other'] as const) {
      const names = resolve(given, { '10.0.0.1': via(2, type) }).map(({ name }) => name)
      expect(names, type).toEqual(['eth1'])
    }
    expect(resolve(given, { '10.0.0.1': via(99) }).map(({ name }) => name)).toEqual(['eth1'])
  })

  test('exist; otherwise the error names those that do', () => {
    const fail = (): unknown => resolve(snapshot([proxyOn('eth1', 'wan0')]))
    expect(fail).toThrow(LbError)
    expect(fail).toThrow('interface wan0 does not exist on this host')
    try {
      fail()
    } catch (error) {
      expect(error).toMatchObject({ code: 'host', hint: 'interfaces here: eth0, eth1, eth2' })
    }
  })

  test('are none for an empty configuration', () => expect(resolve(snapshot([]))).toEqual([]))
})

test('the targets that routes are asked for are those of all lists, once each', () => {
  const twice = { ...proxyOn('eth0'), name: 'again' }
  expect(targetAddresses(snapshot([proxyOn('eth0'), twice]))).toEqual(['10.0.0.1', '10.0.0.2'])
})

describe('away from the host', () => {
  const live: Attachment[] = [
    { name: 'eth0', ifindex: 2, attach: 'auto', mode: 'xdp', roles: ['backend'], xdpXmit: true },
    { name: 'eth1', ifindex: 3, attach: 'auto', mode: 'tcx', roles: ['listen'], xdpXmit: false },
  ]

  test('what is attached stays as it is', () => {
    expect(offlineAttachments(snapshot([proxyOn('eth1')]), live)).toEqual(live)
  })

  test('what is new is known by its name only', () => {
    expect(offlineAttachments(snapshot([proxyOn('eth1', 'eth2')]), live)).toEqual([
      ...live,
      { name: 'eth2', ifindex: 0, attach: 'auto', mode: 'tcx', roles: ['listen'], xdpXmit: false },
    ])
  })

  test('roles follow the configuration, but for ways to targets', () => {
    expect(offlineAttachments(snapshot([], { eth0: 'auto' }), live)).toEqual([
      { ...live[0], roles: ['backend', 'configured'] },
    ])
  })

  test('another way to attach is a change; back to `auto` keeps what was chosen', () => {
    const forced = offlineAttachments(snapshot([proxyOn('eth1')], { eth1: 'xdp-generic' }), live)
    expect(forced[1]).toMatchObject({ ifindex: 3, attach: 'xdp-generic', mode: 'xdp-generic' })
    const back = offlineAttachments(snapshot([proxyOn('eth1')], { eth1: 'auto' }), forced)
    expect(back[1]).toMatchObject({ ifindex: 3, attach: 'auto', mode: 'xdp-generic' })
  })
})
