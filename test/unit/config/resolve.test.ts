import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/engine/config/load.ts'
import { resolveSnapshot } from '../../../src/engine/config/resolve.ts'
import type { Resolved, ResolveOptions } from '../../../src/engine/config/resolve.ts'
import type { Snapshot, Target } from '../../../src/engine/model/snapshot.ts'
import { hostsOf } from '../../../src/engine/model/unresolved.ts'
import { proxyWith } from './report.ts'

type Answers = Readonly<Record<string, readonly string[]>>

function resolve(text: string, answers: Answers, options: ResolveOptions = {}): Resolved {
  const loaded = loadConfig([{ file: 'lb.yaml', text, format: 'yaml' }])
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  const { snapshot, locate } = loaded
  return resolveSnapshot(snapshot, new Map(Object.entries(answers)), { locate, ...options })
}

function resolved(text: string, answers: Answers, options?: ResolveOptions): Snapshot {
  const result = resolve(text, answers, options)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '))
  return result.snapshot
}

/** `10.0.0.1=20` for each default target of the first proxy. */
function shares(targets: string, answers: Answers, options?: ResolveOptions): string {
  const { proxies } = resolved(proxyWith({ defaultTarget: targets }), answers, options)
  return (proxies[0]?.defaultTarget ?? []).map(({ ip, weight }) => `${ip}=${weight ?? ''}`).join(' ')
}

/** Severity, line and message of each problem. An error, and no warning, leaves no snapshot. */
function problems(result: Resolved): string[] {
  const found = result.ok ? result.warnings : result.problems
  expect(result.ok).toBe(found.every(({ severity }) => severity === 'warning'))
  return found.map(({ severity, range, message }) => `${severity} ${range?.start.line ?? '-'}: ${message}`)
}

const ips = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, i) => `10.9.${(from + i) >> 8}.${(from + i) & 255}`)

describe('the weight of a name', () => {
  const two = '[{ ip: 10.0.0.1, port: 80, weight: 40 }, { host: a, port: 80, weight: 60 }]'

  it.each([
    ['is divided equally', two, ips(3), '10.0.0.1=40 10.9.0.1=20 10.9.0.2=20 10.9.0.3=20'],
    [
      'is divided with the remainder spread',
      two,
      ips(7),
      '10.0.0.1=40 10.9.0.1=9 10.9.0.2=9 10.9.0.3=9 10.9.0.4=9 10.9.0.5=8 10.9.0.6=8 10.9.0.7=8',
    ],
    [
      'is scaled with its list where it is smaller than the number of addresses',
      '[{ ip: 10.0.0.1, port: 80, weight: 98 }, { host: a, port: 80, weight: 2 }]',
      ips(3),
      '10.0.0.1=196 10.9.0.1=2 10.9.0.2=1 10.9.0.3=1',
    ],
    [
      'is no matter where there is nothing else',
      '{ host: a, port: 80, weight: 100 }',
      ips(3),
      '10.9.0.1= 10.9.0.2= 10.9.0.3=',
    ],
    [
      'is absent where the list has none',
      '[{ ip: 10.0.0.1, port: 80 }, { host: a, port: 80 }]',
      ips(2),
      '10.0.0.1= 10.9.0.1= 10.9.0.2=',
    ],
  ])('%s', (_, targets, addresses, expected) => {
    expect(shares(targets, { a: addresses })).toBe(expected)
  })

  it('is of the name, whatever order its addresses come in, and however often', () => {
    expect(shares(two, { a: ['10.9.0.2', '10.9.0.1', '10.9.0.2'] })).toBe(
      shares(two, { a: ['10.9.0.1', '10.9.0.2'] }),
    )
  })

  it('of at most 256 addresses fits where every other has 1', () => {
    const hosts = Array.from({ length: 100 }, (_, i) => `{ host: h${i}, port: 80, weight: 1 }`)
    const answers = Object.fromEntries(hosts.map((_, i) => [`h${i}`, i === 0 ? ips(300) : [`10.8.0.${i}`]]))
    const result = resolve(proxyWith({ defaultTarget: `[${hosts.join(', ')}]` }), answers)
    expect(problems(result)).toEqual(['warning 5: `h0` has 300 addresses, more than 256'])
    const targets = result.ok ? (result.snapshot.proxies[0]?.defaultTarget ?? []) : []
    expect(targets).toHaveLength(256 + 99)
    expect(Math.max(...targets.map(({ weight }) => weight ?? 0))).toBe(256)
    expect(targets.reduce((sum, { weight }) => sum + (weight ?? 0), 0)).toBe(25_600)
  })

  it('of exactly 256 addresses, some told twice, needs no warning', () => {
    const addresses = [...ips(256), ...ips(2)]
    const result = resolve(proxyWith({ defaultTarget: '{ host: a, port: 80 }' }), { a: addresses })
    expect(problems(result)).toEqual([])
  })
})

describe('the addresses of a name', () => {
  const BOTH = { a: ['10.9.0.1', 'fd00::9'], b: ['fd00::8'] }

  it.each([
    [
      'the address listened on',
      {
        listen: '{ interfaces: [eth0], port: 80, address: fd00::1 }',
        defaultTarget: '{ host: a, port: 80 }',
      },
      'fd00::9=',
    ],
    [
      'another target',
      { defaultTarget: '[{ ip: fd00::1, port: 80 }, { host: a, port: 80 }]' },
      'fd00::1= fd00::9=',
    ],
    [
      'a target of a route',
      {
        defaultTarget: '{ host: a, port: 80 }',
        sourceRoutes: '[{ source: office, target: { ip: fd00::1, port: 1 } }]',
      },
      'fd00::9=',
    ],
    [
      'a network of clients',
      {
        defaultTarget: '{ host: a, port: 80 }',
        sourceRoutes: '[{ source: "fd00::/8", target: { host: b, port: 1 } }]',
      },
      'fd00::9=',
    ],
    ['the names, IPv4 first', { defaultTarget: '{ host: a, port: 80 }' }, '10.9.0.1='],
    ['the names, IPv6 where there is nothing else', { defaultTarget: '{ host: b, port: 80 }' }, 'fd00::8='],
  ])('are of the family of %s', (_, parts, expected) => {
    const { proxies } = resolved(proxyWith(parts), { ...BOTH, office: ['fd00::77'] })
    expect(proxies[0]?.defaultTarget.map(({ ip, weight }) => `${ip}=${weight ?? ''}`).join(' ')).toBe(
      expected,
    )
  })

  it('that nothing can be sent to are left out, and so is the listener itself', () => {
    const text = proxyWith({
      listen: '{ interfaces: [eth0], port: 80, address: 10.0.0.1 }',
      defaultTarget: '{ host: a, port: 80 }',
    })
    const answers = {
      a: ['0.0.0.0', '224.0.0.1', '169.254.1.1', 'nonsense', '10.0.0.1', '10.0.0.2', '255.255.255.255'],
    }
    expect(resolved(text, answers).proxies[0]?.defaultTarget.map(({ ip }) => ip)).toEqual(['10.0.0.2'])
  })

  it('that the list has already are counted once, and a share is never lost', () => {
    const list = (weights: readonly number[]): string =>
      `[{ ip: 10.0.0.1, port: 80, weight: ${weights[0]} }, { host: a, port: 80, weight: ${weights[1]} }, { host: b, port: 80, weight: ${weights[2]} }]`
    expect(shares(list([50, 30, 20]), { a: ['10.0.0.1', '10.0.0.2'], b: ['10.0.0.2'] })).toBe(
      '10.0.0.1=50 10.0.0.2=50',
    )
    expect(shares(list([50, 30, 20]), { a: ['10.0.0.1'], b: ['10.0.0.1'] })).toBe('10.0.0.1=')
  })

  it('say whose they are, with what is said of the name', () => {
    const text = proxyWith({
      defaultTarget:
        '[{ ip: 10.0.0.1, port: 80, weight: 40 }, { host: Pods.Local, port: 80, weight: 60, dnsRefreshSeconds: 5, drain: true }]',
    })
    const origin = { host: 'pods.local', weight: 60, dnsRefreshSeconds: 5 }
    expect(resolved(text, { 'pods.local': ['10.0.0.2'] }).proxies[0]?.defaultTarget).toEqual([
      { ip: '10.0.0.1', port: 80, weight: 40 },
      { ip: '10.0.0.2', port: 80, weight: 60, drain: true, origin },
    ] satisfies Target[])
  })
})

describe('clients with a name', () => {
  it('have a route for each address, but for those that are routed already', () => {
    const text = proxyWith({
      sourceRoutes:
        '[{ source: office, target: { ip: 10.0.0.9, port: 1 } }, { source: home, target: { ip: 10.0.0.8, port: 1 } }, { source: 192.0.2.1, target: { ip: 10.0.0.7, port: 1 } }]',
    })
    const answers = { office: ['192.0.2.3', '192.0.2.2', 'fd00::1'], home: ['192.0.2.1', '192.0.2.2'] }
    expect(
      resolved(text, answers).proxies[0]?.sourceRoutes.map(({ source, origin, targets }) => [
        source,
        origin,
        targets[0]?.ip,
      ]),
    ).toEqual([
      ['192.0.2.1/32', undefined, '10.0.0.7'],
      ['192.0.2.2/32', 'home', '10.0.0.8'],
      ['192.0.2.3/32', 'office', '10.0.0.9'],
    ])
  })
})

describe('a name without an address', () => {
  const text = proxyWith({
    defaultTarget:
      '[{ ip: 10.0.0.1, port: 80, weight: 30 }, { ip: 10.0.0.2, port: 80, weight: 30 }, { host: gone, port: 80, weight: 40 }]',
    sourceRoutes:
      '[{ source: lost, target: { ip: 10.0.0.9, port: 1 } }, { source: 192.0.2.0/24, target: { host: gone, port: 1 } }]',
  })

  it('is a problem at each place that names it', () => {
    const failures = new Map([['gone', 'no such name']])
    expect(problems(resolve(text, { lost: ['fd00::1'] }, { failures }))).toEqual([
      'error 5: `gone` could not be resolved: no such name',
      'error 6: `gone` could not be resolved: no such name',
      'error 6: `lost` has no IPv4 address that proxy `web` can use, only fd00::1',
    ])
  })

  it('is left out where that is allowed, and others have its share', () => {
    const result = resolve(text, {}, { allowUnresolved: true })
    expect(problems(result)).toEqual([
      'warning 5: `gone` could not be resolved',
      'warning 6: `gone` could not be resolved',
      'warning 6: `lost` could not be resolved',
    ])
    const [proxy] = result.ok ? result.snapshot.proxies : []
    expect(proxy?.defaultTarget.map(({ weight }) => weight)).toEqual([50, 50])
    expect(proxy?.sourceRoutes).toEqual([])
  })

  it('takes its proxy with it where there is no other default target', () => {
    const result = resolve(
      proxyWith({ defaultTarget: '{ host: gone, port: 80 }' }),
      {},
      { allowUnresolved: true },
    )
    expect(result).toMatchObject({ ok: true, snapshot: { proxies: [] } })
    expect(problems(result)[1]).toContain(
      'Proxy `web` is left out: none of its default targets has an address',
    )
  })
})

it('two proxies take the same packets if their names turn out to be of one family', () => {
  const proxy = (name: string): string =>
    `  - { name: ${name}, listen: { interfaces: [eth0, eth1], port: 80 }, defaultTarget: { host: ${name}, port: 80 } }`
  const text = `proxies:\n${proxy('a')}\n${proxy('b')}\n`
  expect(problems(resolve(text, { a: ['10.0.0.1'], b: ['fd00::1'] }))).toEqual([])
  expect(problems(resolve(text, { a: ['10.0.0.1'], b: ['10.0.0.2'] }))).toEqual([
    'error 3: Proxies `a` and `b` both listen on tcp port 80, and the addresses of their targets are of one family',
  ])
})

it('names are asked for once, as often as the most impatient wants', () => {
  const loaded = loadConfig([
    {
      file: 'lb.yaml',
      format: 'yaml',
      text: proxyWith({
        defaultTarget: '[{ host: b, port: 80, dnsRefreshSeconds: 60 }, { host: A, port: 80 }]',
        sourceRoutes: '[{ source: office, target: { host: b, port: 81, dnsRefreshSeconds: 20 } }]',
      }),
    },
  ])
  expect(loaded.ok && hostsOf(loaded.snapshot)).toEqual([
    { host: 'a', dnsRefreshSeconds: 30 },
    { host: 'b', dnsRefreshSeconds: 20 },
    { host: 'office', dnsRefreshSeconds: 30 },
  ])
})
