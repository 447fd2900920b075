import { expect, test } from 'vitest'
import { check } from '../../../src/engine/doctor/check.ts'
import type { DoctorFacts, InterfaceFacts, TargetFacts } from '../../../src/engine/doctor/facts.ts'
import type { Attachment } from '../../../src/engine/model/snapshot.ts'

const attachment: Attachment = {
  name: 'eth0',
  ifindex: 2,
  attach: 'auto',
  mode: 'tcx',
  roles: ['listen', 'backend'],
  xdpXmit: false,
}

const device: NonNullable<InterfaceFacts['device']> = {
  name: 'eth0',
  ifindex: 2,
  driver: 'virtio_net',
  up: true,
  mtu: 1500,
  mac: '02:00:00:00:00:01',
  offloads: { 'rx-checksum': true, 'tx-checksum': true, tso: true, gso: true, gro: true, lro: false },
  xdpProgram: undefined,
  xdp: undefined,
}

const eth0: InterfaceFacts = {
  name: 'eth0',
  device,
  attachment,
  forwarding: { ipv4: true, ipv6: true },
  rpFilter: 0,
  otherXdp: undefined,
}

const remote: TargetFacts = {
  ip: '10.0.0.1',
  route: { ifindex: 2, gateway: undefined, type: 'unicast' },
  neighbour: 'reachable',
}

const healthy: DoctorFacts = {
  kernelRelease: '6.12.3-amd64',
  btf: true,
  bpffs: { path: '/sys/fs/bpf', mounted: true },
  capabilities: new Set(['bpf', 'net_admin']),
  memlockBytes: 8 * 1024 * 1024,
  jit: true,
  forwarding: { ipv4: true, ipv6: false },
  interfaces: [eth0],
  targets: [remote],
}

/** `error bpffs`, with its fix where it has one. */
function problems(facts: Partial<DoctorFacts>): string[] {
  return check({ ...healthy, ...facts })
    .filter(({ status }) => status !== 'ok')
    .map(({ status, id, fix }) => [status, id, ...(fix === undefined ? [] : [`$ ${fix}`])].join(' '))
}

const on = (facts: Partial<InterfaceFacts>): Partial<DoctorFacts> => ({ interfaces: [{ ...eth0, ...facts }] })
const attached = (facts: Partial<Attachment>): Partial<DoctorFacts> =>
  on({ attachment: { ...attachment, ...facts } })

test('a healthy host has no problems, and says what was looked at', () => {
  expect(problems({})).toEqual([])
  expect(check(healthy).map(({ id }) => id)).toEqual([
    'kernel',
    'btf',
    'bpffs',
    'capabilities',
    'jit',
    'interface:eth0',
    'forwarding-ipv4',
    'routes',
  ])
})

test('without a configuration only the system is looked at', () => {
  expect(check({ ...healthy, interfaces: [], targets: [] }).map(({ id }) => id)).toEqual([
    'kernel',
    'btf',
    'bpffs',
    'capabilities',
    'jit',
  ])
})

test.each<[string, Partial<DoctorFacts>, string[]]>([
  ['kernel 5.18 is enough', { kernelRelease: '5.18.0' }, []],
  ['kernel 5.17 is not', { kernelRelease: '5.17.21' }, ['error kernel']],
  ['nor is 4.19', { kernelRelease: '4.19.0', memlockBytes: undefined }, ['error kernel']],
  [
    'where maps are charged to a small limit',
    { kernelRelease: '5.10.0' },
    ['error kernel', 'warning memlock $ ulimit -l unlimited'],
  ],
  ['an unreadable release', { kernelRelease: 'custom' }, ['warning kernel']],
  ['no BTF', { btf: false }, ['error btf']],
  [
    'no bpffs',
    { bpffs: { path: '/sys/fs/bpf', mounted: false } },
    ['error bpffs $ mount -t bpf bpf /sys/fs/bpf'],
  ],
  ['no rights', { capabilities: new Set() }, ['error capabilities']],
  ['sys_admin stands for bpf', { capabilities: new Set(['sys_admin', 'net_admin']) }, []],
  ['but not for net_admin', { capabilities: new Set(['sys_admin']) }, ['error capabilities']],
  ['no JIT', { jit: false }, ['warning jit $ sysctl -w net.core.bpf_jit_enable=1']],
  ['a JIT that nobody tells of', { jit: undefined }, []],
])('system: %s', (_, facts, expected) => {
  expect(problems(facts)).toEqual(expected)
})

test('older kernels use clsact, and are told so', () => {
  const detail = (kernelRelease: string): string | undefined =>
    check({ ...healthy, kernelRelease })[0]?.detail
  expect(detail('6.5.13')).toMatch(/clsact/)
  expect(detail('6.6.0')).toBe('')
  expect(detail('10.0')).toBe('')
})

test.each<[string, Partial<DoctorFacts>, string[]]>([
  ['that is missing', on({ device: undefined }), ['error interface:eth0']],
  ['that cannot be resolved', on({ attachment: { error: 'why' } }), ['error interface:eth0']],
  [
    'that is down',
    on({ device: { ...device, up: false } }),
    ['error interface-down:eth0 $ ip link set dev eth0 up'],
  ],
  [
    'that is down and not needed',
    on({ device: { ...device, up: false }, attachment: { ...attachment, roles: ['configured'] } }),
    ['warning interface-down:eth0 $ ip link set dev eth0 up'],
  ],
  ['with generic XDP', attached({ mode: 'xdp-generic' }), ['warning attach:eth0']],
  ['that listens without a program', attached({ mode: 'none' }), ['warning attach:eth0']],
  ['that needs none', attached({ mode: 'none', roles: ['configured'] }), []],
  ['with native XDP', attached({ mode: 'xdp', xdpXmit: true }), []],
  ['that native XDP cannot send through', attached({ mode: 'xdp' }), ['warning xdp-transmit:eth0']],
  [
    'whose driver has no XDP',
    on({
      device: { ...device, xdp: { native: false, redirect: false, xmit: false } },
      attachment: { ...attachment, mode: 'xdp', xdpXmit: true },
    }),
    ['error attach:eth0'],
  ],
  [
    'whose driver cannot redirect',
    on({
      device: { ...device, xdp: { native: true, redirect: false, xmit: true } },
      attachment: { ...attachment, mode: 'xdp', xdpXmit: true },
    }),
    ['error attach:eth0'],
  ],
  [
    'XDP on veth',
    on({ device: { ...device, driver: 'veth' }, attachment: { ...attachment, mode: 'xdp', xdpXmit: true } }),
    ['warning attach:eth0'],
  ],
  [
    'with LRO',
    on({ device: { ...device, offloads: { lro: true } } }),
    ['warning lro:eth0 $ ethtool -K eth0 lro off'],
  ],
  [
    'with the XDP program of another in front',
    on({ otherXdp: { id: 9, mode: 'xdp-generic' } }),
    ['warning other-xdp:eth0 $ ip link set dev eth0 xdpgeneric off'],
  ],
  [
    'with the XDP program of another in the way',
    on({ otherXdp: { id: 9, mode: 'xdp' }, attachment: { ...attachment, mode: 'xdp', xdpXmit: true } }),
    ['error other-xdp:eth0 $ ip link set dev eth0 xdpdrv off'],
  ],
  [
    'with a strict reverse path filter',
    on({ rpFilter: 1 }),
    ['warning rp-filter:eth0 $ sysctl -w net.ipv4.conf.eth0.rp_filter=2'],
  ],
  ['with a loose one', on({ rpFilter: 2 }), []],
  ['with a strict one and no IPv4', { ...on({ rpFilter: 1 }), targets: [] }, []],
])('an interface %s', (_, facts, expected) => {
  expect(problems(facts)).toEqual(expected)
})

test('names are quoted for the shell and spelt for sysctl', () => {
  const name = 'eth0.1;$x'
  expect(
    problems(
      on({ name, rpFilter: 1, attachment: { ...attachment, name }, device: { ...device, name, up: false } }),
    ),
  ).toEqual([
    `error interface-down:${name} $ ip link set dev 'eth0.1;$x' up`,
    `warning rp-filter:${name} $ sysctl -w 'net.ipv4.conf.eth0/1;$x.rp_filter=2'`,
  ])
})

const six: TargetFacts = { ...remote, ip: 'fd00::1' }
const local: TargetFacts = {
  ip: '10.0.0.9',
  route: { ifindex: 1, gateway: undefined, type: 'local' },
  neighbour: undefined,
}
const off = { ipv4: false, ipv6: false }

test.each<[string, Partial<DoctorFacts>, string[]]>([
  [
    'off, with remote targets',
    { ...on({ forwarding: off }), forwarding: off },
    ['error forwarding-ipv4 $ sysctl -w net.ipv4.ip_forward=1'],
  ],
  ['off, with local targets only', { ...on({ forwarding: off }), forwarding: off, targets: [local] }, []],
  [
    'off on one interface',
    on({ name: 'eth0.5', forwarding: off }),
    ['error forwarding-ipv4:eth0.5 $ sysctl -w net.ipv4.conf.eth0/5.forwarding=1'],
  ],
  [
    'of IPv6',
    { ...on({ forwarding: { ipv4: false, ipv6: false } }), forwarding: off, targets: [six] },
    ['error forwarding-ipv6 $ sysctl -w net.ipv6.conf.all.forwarding=1'],
  ],
  ['of the other family', { ...on({ forwarding: { ipv4: true, ipv6: false } }), forwarding: off }, []],
  [
    'off where no interface is used',
    { interfaces: [], forwarding: off },
    ['error forwarding-ipv4 $ sysctl -w net.ipv4.ip_forward=1'],
  ],
])('forwarding %s', (_, facts, expected) => {
  expect(problems(facts)).toEqual(expected)
})

test.each<[string, TargetFacts, string[]]>([
  ['on this host', local, []],
  ['without a route', { ...remote, route: undefined }, ['error route:10.0.0.1']],
  [
    'behind a blackhole',
    { ...remote, route: { ...remote.route!, type: 'blackhole' } },
    ['error route:10.0.0.1'],
  ],
  ['whose next hop is silent', { ...remote, neighbour: 'failed' }, ['warning neighbour:10.0.0.1']],
  ['whose next hop is not known yet', { ...remote, neighbour: undefined }, []],
])('a target %s', (_, target, expected) => {
  expect(problems({ targets: [target] })).toEqual(expected)
})

test('unknown next hops are one finding', () => {
  const targets = Array.from({ length: 7 }, (_, i): TargetFacts => ({
    ...remote,
    ip: `10.0.0.${i}`,
    neighbour: undefined,
  }))
  const found = check({ ...healthy, targets }).filter(({ id }) => id === 'neighbours')
  expect(found.map(({ status, detail }) => [status, detail.slice(0, 70)])).toEqual([
    ['ok', '10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more: the first'],
  ])
})

test('identifiers are not given twice', () => {
  const ids = check({
    ...healthy,
    interfaces: [eth0, { ...eth0, name: 'eth1', device: undefined }],
    targets: [remote, six, { ...remote, ip: '10.0.0.2', route: undefined }],
  }).map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
