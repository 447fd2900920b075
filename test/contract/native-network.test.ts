import { expect, test } from 'vitest'
import { routeGet, routesGet } from '../../native/index.ts'
import { mustRun } from '../support/lab/run.ts'
import { runChild, vethPair } from '../support/native-child.ts'

test('interfaces are those of the caller’s namespace', async () => {
  const { near, far } = await vethPair()
  await mustRun(['ip', '-n', near, 'link', 'set', 'v0', 'mtu', '1400', 'address', '02:00:00:00:00:aa'])
  await mustRun(['nsenter', `--net=/run/netns/${near}`, 'ethtool', '-K', 'v0', 'tx', 'off', 'gro', 'on'])
  await mustRun(['ip', '-n', far, 'link', 'set', 'v1', 'down'])
  const list = (namespace: string) => runChild((native) => native.interfaces(), undefined, namespace)
  const [lo, v0, ...others] = [...(await list(near))].sort((a, b) => a.name.localeCompare(b.name))
  // Kernels may add interfaces to every namespace (tunl0, ifb0): they are not ours.
  expect(others.map(({ name }) => name)).not.toContain('v1')
  expect(lo).toMatchObject({ name: 'lo', ifindex: 1, driver: '', mac: '00:00:00:00:00:00', up: false })
  expect(v0).toMatchObject({ name: 'v0', driver: 'veth', mtu: 1400, up: true, mac: '02:00:00:00:00:aa' })
  expect(v0?.offloads).toMatchObject({ 'tx-checksum': false, gro: true, gso: true, lro: false })
  expect(Object.keys(v0!.offloads)).toEqual(['rx-checksum', 'tx-checksum', 'tso', 'gso', 'gro', 'lro'])
  // NETDEV_XDP_ACT_BASIC and NETDEV_XDP_ACT_REDIRECT.
  expect(v0!.xdpFeatures! & 3).toBe(3)
  expect((await list(far)).find(({ name }) => name === 'v1')).toMatchObject({ up: false })
})

test('many interfaces come whole', async () => {
  const { near } = await vethPair()
  const commands = Array.from({ length: 200 }, (_, i) => `link add m${i} type veth peer name n${i}\n`).join(
    '',
  )
  await mustRun(['ip', '-n', near, '-batch', '-'], { input: commands })
  const list = await runChild((native) => native.interfaces(), undefined, near)
  expect(list.filter(({ name }) => /^[mn]\d+$/.test(name))).toHaveLength(400)
  expect(new Set(list.map(({ ifindex }) => ifindex)).size).toBe(list.length)
  expect(list.every(({ xdpFeatures }) => xdpFeatures !== undefined)).toBe(true)
})

test('routes of both families say how packets leave', async () => {
  const { near } = await vethPair()
  const commands = [
    'link set lo up',
    'address add 10.1.0.1/24 dev v0',
    'address add fd00:1::1/64 dev v0 nodad',
    'route add 10.2.0.0/16 via 10.1.0.9',
    'route add 10.3.0.0/16 via inet6 fe80::9 dev v0',
    'route add fd00:2::/64 via fd00:1::9',
    'route add blackhole 10.4.0.0/16',
    'route add unreachable 10.5.0.0/16',
    'route add prohibit 10.6.0.0/16',
    'route add blackhole fd00:4::/64',
    'route add unreachable fd00:5::/64',
  ]
  await mustRun(['ip', '-n', near, '-batch', '-'], { input: commands.map((line) => `${line}\n`).join('') })
  const found = await runChild(
    (native, destinations) => {
      const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
      return { ifindex, routes: native.routesGet(destinations).map((route) => route ?? 'none') }
    },
    [
      ...['10.1.0.7', '10.2.0.7', '10.3.0.7', '10.1.0.1', '10.4.0.1', '10.5.0.1', '10.6.0.1', '192.0.2.1'],
      ...['fd00:1::7', 'fd00:2::7', 'fd00:1::1', 'fd00:4::1', 'fd00:5::1', '2001:db8::1'],
    ],
    near,
  )
  const { ifindex } = found
  expect(found.routes).toEqual([
    { ifindex, source: '10.1.0.1', type: 'unicast' },
    { ifindex, gateway: '10.1.0.9', source: '10.1.0.1', type: 'unicast' },
    { ifindex, gateway: 'fe80::9', source: '10.1.0.1', type: 'unicast' },
    { ifindex: 1, source: '10.1.0.1', type: 'local' },
    { ifindex: 0, type: 'blackhole' },
    { ifindex: 0, type: 'unreachable' },
    { ifindex: 0, type: 'prohibit' },
    'none',
    { ifindex, source: 'fd00:1::1', type: 'unicast' },
    { ifindex, gateway: 'fd00:1::9', source: 'fd00:1::1', type: 'unicast' },
    { ifindex: expect.any(Number) as number, source: 'fd00:1::1', type: 'local' },
    expect.objectContaining({ type: 'blackhole' }),
    expect.objectContaining({ type: 'unreachable' }),
    'none',
  ])
})

test('one route is the same as one of many', () => {
  expect(routeGet('127.0.0.1')).toEqual({
    ifindex: 1,
    gateway: undefined,
    source: '127.0.0.1',
    type: 'local',
  })
  expect(routesGet([])).toEqual([])
  expect(routesGet(['127.0.0.1', '::1'])).toEqual([routeGet('127.0.0.1'), routeGet('::1')])
})

test('neighbours of both families have their states', async () => {
  const { near } = await vethPair()
  const commands = [
    'neighbour add 10.1.0.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent',
    'neighbour add 10.1.0.3 lladdr 02:00:00:00:00:03 dev v0 nud stale',
    'neighbour add 10.1.0.4 dev v0 nud failed',
    'neighbour add fd00:1::2 lladdr 02:00:00:00:00:06 dev v0 nud reachable',
  ]
  await mustRun(['ip', '-n', near, '-batch', '-'], { input: commands.map((line) => `${line}\n`).join('') })
  const found = await runChild(
    (native) => {
      const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
      return { ifindex, list: native.neighbours() }
    },
    undefined,
    near,
  )
  const { ifindex, list } = found
  expect(list).toEqual(
    expect.arrayContaining([
      { ip: '10.1.0.2', ifindex, mac: '02:00:00:00:00:02', state: 'permanent' },
      { ip: '10.1.0.3', ifindex, mac: '02:00:00:00:00:03', state: 'stale' },
      { ip: '10.1.0.4', ifindex, state: 'failed' },
      { ip: 'fd00:1::2', ifindex, mac: '02:00:00:00:00:06', state: 'reachable' },
    ]),
  )
})
