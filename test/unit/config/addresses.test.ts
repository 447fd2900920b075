/** Addresses and networks, and their families. */
import { describe, expect, it } from 'vitest'
import { load, onlyProblem, problemsOf, proxyWith, rulesOf } from './report.ts'

describe('addresses', () => {
  it.each([
    ['10.0.0.256', '`10.0.0.256` is not an IP address', '256 is more than 255.'],
    ['10.0.0', '`10.0.0` is not an IP address', 'An IPv4 address has four numbers, separated by dots.'],
    ['10.0..1', '`10.0..1` is not an IP address', 'A number is missing between two dots.'],
    [
      '10.0.0.01',
      '`10.0.0.01` is not an IP address',
      'Leave out the leading zeros: some programs take them for octal numbers.',
    ],
    ['10.0.0.1/24', '`10.0.0.1/24` is not an IP address', 'Leave out the prefix length: `10.0.0.1`.'],
    ['10.0.0.1:80', '`10.0.0.1:80` is not an IP address', 'The port has a key of its own: `port`.'],
    ['localhost', '`localhost` is not an IP address', 'A name has a key of its own: `host`.'],
    ['"[fd00::1]"', '`[fd00::1]` is not an IP address', 'Leave out the brackets.'],
    ['fe80::1%eth0', '`fe80::1%eth0` is not an IP address', 'An address has no zone here.'],
    ['fd00::1::2', '`fd00::1::2` is not an IP address', undefined],
    ['""', '`` is not an IP address', undefined],
    [
      '"::ffff:10.0.0.1"',
      '`::ffff:10.0.0.1` is an IPv4 address in the form of an IPv6 one',
      'Write `10.0.0.1`.',
    ],
    ['224.0.0.1', 'The multicast address `224.0.0.1` cannot be a target', undefined],
    ['ff02::1', 'The multicast address `ff02::1` cannot be a target', undefined],
    ['255.255.255.255', 'The broadcast address `255.255.255.255` cannot be a target', undefined],
    [
      '0.0.0.0',
      '`0.0.0.0` stands for any address and cannot be a target',
      'Write the address of the server.',
    ],
    ['"::"', '`::` stands for any address and cannot be a target', 'Write the address of the server.'],
    [
      'fe80::1',
      'The link-local address `fe80::1` cannot be a target',
      'It has a meaning on one link only: use a global or unique local (fd00::/8) address.',
    ],
    [
      '127.0.0.1',
      'The kernel drops packets from outside to the loopback address `127.0.0.1`',
      'Use another address of this host, and let the server listen there.',
    ],
    [
      '"::1"',
      'The kernel drops packets from outside to the loopback address `::1`',
      'Use another address of this host, and let the server listen there.',
    ],
  ])('target %s', (ip, message, hint) => {
    expect(onlyProblem(proxyWith({ defaultTarget: `{ ip: ${ip}, port: 80 }` }))).toEqual([ip, message, hint])
  })

  it('loopback targets are right for a proxy on the loopback interface, and only warned of elsewhere', () => {
    const target = '{ ip: 127.0.0.1, port: 8080 }'
    expect(
      problemsOf(proxyWith({ listen: '{ interfaces: [lo], port: 80 }', defaultTarget: target })),
    ).toEqual([])
    expect(problemsOf(proxyWith({ defaultTarget: target })).map(({ severity }) => severity)).toEqual([
      'warning',
    ])
  })

  it.each([
    ['[lo]', '10.0.0.1', true],
    ['[eth0, lo]', 'fd00::1', true],
    ['[lo]', '127.0.0.1', false],
    ['[lo]', '"::1"', false],
    ['[eth0]', '10.0.0.1', false],
  ])('a proxy on %s with the target %s is warned that other hosts are not reached: %s', (on, ip, warned) => {
    const text = proxyWith({
      listen: `{ interfaces: ${on}, port: 80 }`,
      defaultTarget: `{ ip: ${ip}, port: 80 }`,
    })
    const message = `Clients on this host, whose packets arrive on \`lo\`, reach \`${ip}\` only if it is an address of this host`
    expect(problemsOf(text)).toMatchObject(
      warned ? [{ severity: 'warning', rule: 'loopback-listener', message }] : [],
    )
  })

  it.each([
    ['224.0.0.1', 'A proxy cannot listen on the multicast address `224.0.0.1`'],
    ['255.255.255.255', 'A proxy cannot listen on the broadcast address `255.255.255.255`'],
    ['eth0', '`eth0` is not an IP address'],
    ['example.com', '`example.com` is not an IP address'],
  ])('listening on %s', (address, message) => {
    const text = proxyWith({ listen: `{ interfaces: [eth0], port: 80, address: ${address} }` })
    expect(onlyProblem(text).slice(0, 2)).toEqual([address, message])
  })

  it.each([
    [
      '"*.example.com"',
      '`*.example.com` is neither a network nor an address nor a hostname',
      'It must be one name, without wildcards.',
    ],
    [
      '10.0.0.256',
      '`10.0.0.256` is neither a network nor an address nor a hostname',
      '256 is more than 255.',
    ],
    ['10.0.0.0/33', '`/33` is not a prefix length', 'It is a number from 0 to 32, as in `10.0.0.0/24`.'],
    ['10.0.0.0/', '`/` is not a prefix length', 'It is a number from 0 to 32, as in `10.0.0.0/24`.'],
    ['10.0.0.0/08', '`/08` is not a prefix length', 'It is a number from 0 to 32, as in `10.0.0.0/24`.'],
    [
      '10.0.0.0/255.0.0.0',
      '`/255.0.0.0` is not a prefix length',
      'It is a number from 0 to 32, as in `10.0.0.0/24`.',
    ],
    ['fd00::/129', '`/129` is not a prefix length', 'It is a number from 0 to 128, as in `fd00::/64`.'],
    [
      '10.1.2.3/8',
      '`10.1.2.3/8` means the network `10.0.0.0/8`',
      'Write `10.0.0.0/8`, or `10.1.2.3` if the one address is meant.',
    ],
  ])('source %s', (source, message, hint) => {
    const text = proxyWith({ sourceRoutes: `[{ source: ${source}, target: { ip: 10.0.0.9, port: 1 } }]` })
    expect(onlyProblem(text)).toEqual([source, message, hint])
  })

  it('bits after the prefix are a warning: what is meant is plain', () => {
    const text = proxyWith({ sourceRoutes: '[{ source: 10.1.2.3/8, target: { ip: 10.0.0.9, port: 1 } }]' })
    expect(load(text).proxies[0]?.sourceRoutes[0]?.source).toBe('10.0.0.0/8')
  })
})

describe('families', () => {
  it.each([
    [
      'address and target',
      { listen: '{ interfaces: [eth0], port: 80, address: "::1" }' },
      ['5:26 mixed-families'],
    ],
    [
      'any address of the other family',
      { listen: '{ interfaces: [eth0], port: 80, address: "::" }' },
      ['5:26 mixed-families'],
    ],
    [
      'targets',
      { defaultTarget: '[{ ip: fd00::1, port: 1 }, { ip: 10.0.0.1, port: 1 }, { ip: 10.0.0.2, port: 1 }]' },
      ['5:27 mixed-families'],
    ],
    [
      'targets, one of each: the first counts',
      { defaultTarget: '[{ ip: fd00::1, port: 1 }, { ip: 10.0.0.1, port: 1 }]' },
      ['5:53 mixed-families'],
    ],
    [
      'a route, once for all of it',
      { sourceRoutes: '[{ source: fd00::/8, target: { ip: fd00::1, port: 1 } }]' },
      ['6:30 mixed-families'],
    ],
    [
      "a route's target",
      { sourceRoutes: '[{ source: 10.0.0.0/8, target: { ip: fd00::1, port: 1 } }]' },
      ['6:56 mixed-families'],
    ],
  ])('%s', (_, lines, rules) => {
    expect(rulesOf(proxyWith(lines))).toEqual(rules)
  })

  it('says what made the proxy the family that it is', () => {
    const [problem] = problemsOf(proxyWith({ listen: '{ interfaces: [eth0], port: 80, address: fd00::9 }' }))
    expect(problem?.message).toBe('Target `10.0.0.1` is IPv4, but this proxy is IPv6')
    expect(problem?.related?.message).toBe('it is IPv6, as its `address` is')
    expect(problem?.related?.range.start).toMatchObject({ line: 4, column: 54 })
  })
})
