/** What the schema says, in words for people. */
import { describe, expect, it } from 'vitest'
import { onlyProblem, problemsOf, proxyWith, rulesOf } from './report.ts'

describe('keys', () => {
  it.each([
    ['proxies: []\nsetings: {}', 'setings', 'Did you mean `settings`?'],
    [
      'proxies: []\nhealth: {}',
      'health',
      'The keys here are `version`, `proxies`, `interfaces`, `settings`.',
    ],
    [
      proxyWith({ 'default-target': '{}' }),
      'default-target',
      'The keys here are `name`, `listen`, `forwarding`, `defaultTarget`, `sourceRoutes`, `onRemove`, `onRemoveDeadlineSec`.',
    ],
    [proxyWith({ source_routes: '[]' }), 'source_routes', 'Did you mean `sourceRoutes`?'],
    [
      proxyWith({ balance: 'maglev' }),
      'balance',
      'The keys here are `name`, `listen`, `forwarding`, `defaultTarget`, `sourceRoutes`, `onRemove`, `onRemoveDeadlineSec`.',
    ],
    [
      proxyWith({ listen: '{ interfaces: [eth0], port: 80, adress: 10.0.0.1 }' }),
      'adress',
      'Did you mean `address`?',
    ],
    [
      proxyWith({ defaultTarget: '{ ip: 10.0.0.1, port: 80, wieght: 1 }' }),
      'wieght',
      'Did you mean `weight`?',
    ],
    ['proxies: []\ninterfaces: { eth0: { atach: xdp } }', 'atach', 'Did you mean `attach`?'],
    [
      'proxies: []\nsettings: { connectionTimeoutSecs: 5 }',
      'connectionTimeoutSecs',
      'Did you mean `connectionTimeoutSec`?',
    ],
    [
      'proxies: []\n__proto__: {}',
      '__proto__',
      'The keys here are `version`, `proxies`, `interfaces`, `settings`.',
    ],
    [
      'proxies: []\ntoString: {}',
      'toString',
      'The keys here are `version`, `proxies`, `interfaces`, `settings`.',
    ],
  ])('unknown in %j', (text, key, hint) => {
    expect(onlyProblem(text)).toEqual([key, `Unknown key \`${key}\``, hint])
  })

  it.each([
    [
      'proxies: [{ listen: { interfaces: [eth0], port: 80 }, defaultTarget: { ip: 10.0.0.1, port: 1 } }]',
      'This proxy has no `name`',
    ],
    ['proxies: [{ name: web, defaultTarget: { ip: 10.0.0.1, port: 1 } }]', 'Proxy `web` has no `listen`'],
    [
      'proxies: [{ name: web, listen: { interfaces: [eth0], port: 80 } }]',
      'Proxy `web` has no `defaultTarget`',
    ],
    [proxyWith({ listen: '{ port: 80 }' }), 'This listener has no `interfaces`'],
    [proxyWith({ listen: '{ interfaces: [eth0] }' }), 'This listener has no `port`'],
    [proxyWith({ defaultTarget: '[{ port: 80 }]' }), 'This target has no `ip` or `host`'],
    [proxyWith({ defaultTarget: '{ ip: 10.0.0.1 }' }), 'This target has no `port`'],
    [
      proxyWith({ sourceRoutes: '[{ target: { ip: 10.0.0.1, port: 1 } }]' }),
      'This source route has no `source`',
    ],
    [
      proxyWith({ sourceRoutes: '[{ source: 10.0.0.0/8 }]' }),
      'This source route has no `target` or `targets`',
    ],
  ])('missing in %j', (text, message) => {
    expect(onlyProblem(text)[1]).toBe(message)
  })

  it('says nothing of a missing key that is there with a typing mistake', () => {
    expect(rulesOf(proxyWith({}).replace('listen:', 'lisen:'))).toEqual(['4:5 unknown-key'])
    expect(rulesOf(proxyWith({ defaultTarget: '{ ip: 10.0.0.1, prot: 80 }' }))).toEqual(['5:36 unknown-key'])
  })
})

describe('values', () => {
  it.each([
    [
      'version: 2\nproxies: []',
      '2',
      '`version` must be 1, not 2',
      'This lb reads version 1 of the configuration language.',
    ],
    [
      'version: "1"\nproxies: []',
      '"1"',
      '`version` must be 1, not "1"',
      'This lb reads version 1 of the configuration language.',
    ],
    ['- a', '- a', 'The configuration must be a map, not a list', undefined],
    ['web', 'web', 'The configuration must be a map, not "web"', undefined],
    ['proxies:', '', '`proxies` must be a list, not empty', 'Give it a value, or remove the key.'],
    ['proxies: web', 'web', '`proxies` must be a list, not "web"', 'Write a list of one: [web].'],
    ['proxies: [web]', 'web', 'Each element of `proxies` must be a map, not "web"', undefined],
    ['proxies: {}', '{}', '`proxies` must be a list, not a map', undefined],
    ['proxies: []\ninterfaces: { eth0: xdp }', 'xdp', '`eth0` must be a map, not "xdp"', undefined],
    [
      'proxies: []\ninterfaces: { eth0: { attach: nativ } }',
      'nativ',
      '`attach` must be `auto`, `xdp`, `xdp-generic`, `tcx` or `none`, not "nativ"',
      undefined,
    ],
    [
      'proxies: []\ninterfaces: { eth0: { attach: XDP } }',
      'XDP',
      '`attach` must be `auto`, `xdp`, `xdp-generic`, `tcx` or `none`, not "XDP"',
      'Did you mean `xdp`?',
    ],
    [
      'proxies: []\nsettings: { connectionTimeoutSec: 0 }',
      '0',
      '`connectionTimeoutSec` must be between 1 and 86400, not 0',
      undefined,
    ],
    [
      'proxies: []\nsettings: { connectionTimeoutSec: 86401 }',
      '86401',
      '`connectionTimeoutSec` must be between 1 and 86400, not 86401',
      undefined,
    ],
    [
      'proxies: []\nsettings: { connectionTimeoutSec: 1.5 }',
      '1.5',
      '`connectionTimeoutSec` must be a whole number, not 1.5',
      undefined,
    ],
    [
      'proxies: []\nsettings: { connectionTimeoutSec: 99999999999999999999999 }',
      '99999999999999999999999',
      '`connectionTimeoutSec` must be between 1 and 86400, not 1e+23',
      undefined,
    ],
    [
      'proxies: []\nsettings: { connectionTimeoutSec: .inf }',
      '.inf',
      '`connectionTimeoutSec` must be a whole number, not Infinity',
      undefined,
    ],
    [proxyWith({ name: '80' }), '80', '`name` must be text, not 80', 'Put it in quotes: "80".'],
    [
      proxyWith({ name: '-x' }),
      '-x',
      '"-x" is no name for a proxy',
      'Use 1 to 63 letters, digits, dots, underscores and hyphens; the first is a letter or digit.',
    ],
    [
      proxyWith({ name: '"a b"' }),
      '"a b"',
      '"a b" is no name for a proxy',
      'Use 1 to 63 letters, digits, dots, underscores and hyphens; the first is a letter or digit.',
    ],
    [proxyWith({ forwarding: 'dsr' }), 'dsr', '`forwarding` must be `nat`, not "dsr"', undefined],
    [
      proxyWith({ listen: '{ interfaces: eth0, port: 80 }' }),
      'eth0',
      '`interfaces` must be a list, not "eth0"',
      'Write a list of one: [eth0].',
    ],
    [
      proxyWith({ listen: '{ interfaces: [], port: 80 }' }),
      '[]',
      '`interfaces` is an empty list',
      'It needs at least one element.',
    ],
    [
      proxyWith({ listen: '{ interfaces: [0], port: 80 }' }),
      '0',
      'Each element of `interfaces` must be text, not 0',
      'Put it in quotes: "0".',
    ],
    [
      proxyWith({ listen: '{ interfaces: [eth0], port: "80" }' }),
      '"80"',
      '`port` must be a whole number, not "80"',
      'Write it without quotes: 80.',
    ],
    [
      proxyWith({ listen: '{ interfaces: [eth0], port: 65536 }' }),
      '65536',
      '`port` must be between 1 and 65535, not 65536',
      undefined,
    ],
    [
      proxyWith({ listen: '{ interfaces: [eth0], port: 80, protocol: http }' }),
      'http',
      '`protocol` must be `tcp` or `udp`, not "http"',
      undefined,
    ],
    [proxyWith({ listen: '80' }), '80', '`listen` must be a map, not 80', undefined],
    [
      proxyWith({ defaultTarget: '10.0.0.1:8080' }),
      '10.0.0.1:8080',
      '`defaultTarget` must be a map, not "10.0.0.1:8080"',
      'Write { ip: 10.0.0.1, port: 8080 }.',
    ],
    [
      proxyWith({ defaultTarget: '["[fd00::1]:80"]' }),
      '"[fd00::1]:80"',
      'Each element of `defaultTarget` must be a map, not "[fd00::1]:80"',
      'Write { ip: "fd00::1", port: 80 }.',
    ],
    [
      proxyWith({ defaultTarget: '[]' }),
      '[]',
      '`defaultTarget` is an empty list',
      'It needs at least one element.',
    ],
    [
      proxyWith({ defaultTarget: '{ ip: 10.0.0.1, port: 80, weight: 0 }' }),
      '0',
      '`weight` must be between 1 and 100, not 0',
      undefined,
    ],
    [
      proxyWith({
        sourceRoutes:
          '[{ source: 10.0.0.0/8, target: { ip: 10.0.0.1, port: 1 }, targets: [{ ip: 10.0.0.1, port: 1 }] }]',
      }),
      '{ ip: 10.0.0.1, port: 1 }',
      'This source route has both `target` and `targets`',
      'Put all targets into `targets`.',
    ],
  ])('wrong in %j', (text, where, message, hint) => {
    expect(onlyProblem(text)).toEqual([where, message, hint])
  })

  it.each([
    ['abcdefghijklmnop', 'The interface name `abcdefghijklmnop` has 16 characters; Linux allows 15'],
    ['eth0:1', '`eth0:1` cannot be the name of an interface'],
    ['a/b', '`a/b` cannot be the name of an interface'],
    ['a b', '`a b` cannot be the name of an interface'],
    ['..', '`..` cannot be the name of an interface'],
    ['é', '`é` cannot be the name of an interface'],
    ['', 'The name of an interface is empty'],
  ])('interface %j, in a list and as a key', (name, message) => {
    const quoted = JSON.stringify(name)
    const inList = proxyWith({ listen: `{ interfaces: [${quoted}], port: 80 }` })
    expect(onlyProblem(inList).slice(0, 2)).toEqual([quoted, message])
    expect(onlyProblem(`proxies: []\ninterfaces: { ${quoted}: {} }`).slice(0, 2)).toEqual([quoted, message])
  })

  it('accepts the longest names', () => {
    expect(
      problemsOf(proxyWith({ name: 'a'.repeat(63), listen: '{ interfaces: [abcdefghijklmno], port: 1 }' })),
    ).toEqual([])
    expect(rulesOf(proxyWith({ name: 'a'.repeat(64) }))).toEqual(['3:11 proxy-name'])
  })

  it('quotes long values in part', () => {
    const [, message] = onlyProblem(proxyWith({ name: `"${'x'.repeat(5000)} "` }))
    expect(message.length).toBeLessThan(100)
    const unknown = problemsOf(`proxies: []\n${'k'.repeat(900)}: 1`)
    expect(unknown.map((problem) => problem.message.length)).toEqual([300])
  })
})
