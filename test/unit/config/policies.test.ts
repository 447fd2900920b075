/** What is said of targets beside their addresses and weights. */
import { describe, expect, it } from 'vitest'
import { toCanonicalYaml } from '../../../src/engine/config/canonical.ts'
import { DEFAULT_HEALTH_CHECK, healthCheckOf } from '../../../src/engine/model/policy.ts'
import type { HealthCheck } from '../../../src/engine/model/policy.ts'
import { load, onlyProblem, problemsOf, proxyWith } from './report.ts'

const HTTP = {
  method: 'GET',
  path: '/health',
  host: null,
  expectedCodes: [200, 201, 202, 204],
  expectedBody: null,
}

/** The check of the only target. */
function checkOf(healthCheck: string, defaults = '{}'): HealthCheck | undefined {
  const target = `{ ip: 10.0.0.1, port: 80, healthCheck: ${healthCheck} }`
  const text = `${proxyWith({ defaultTarget: target })}settings: { healthCheckDefaults: ${defaults} }\n`
  const snapshot = load(text)
  expect(load(toCanonicalYaml(snapshot))).toEqual(snapshot)
  return snapshot.proxies[0]?.defaultTarget[0]?.healthCheck
}

describe('a health check', () => {
  it.each<[string, string, Partial<HealthCheck>]>([
    ['{}', '{}', {}],
    ['{ type: http }', '{}', { type: 'http', http: HTTP as HealthCheck['http'] }],
    [
      '{}',
      '{ type: http, path: /up }',
      { type: 'http', http: { ...HTTP, path: '/up' } as HealthCheck['http'] },
    ],
    ['{ type: tcp }', '{ type: http, path: /up, intervalMs: 2000 }', { intervalMs: 2000 }],
    ['{ intervalMs: 3000 }', '{ intervalMs: 2000, timeoutMs: 500 }', { intervalMs: 3000, timeoutMs: 500 }],
    ['{ type: none }', '{ port: 81 }', { type: 'none', port: 81 }],
    [
      '{ type: http, expectedCodes: [404, 200, 404] }',
      '{}',
      { type: 'http', http: { ...HTTP, expectedCodes: [200, 404] } as HealthCheck['http'] },
    ],
    [
      '{ sni: API.example.com }',
      '{ type: https, caFile: /ca.pem }',
      {
        type: 'https',
        http: HTTP as HealthCheck['http'],
        tls: { sni: 'api.example.com', caFile: '/ca.pem', insecureSkipVerify: false },
      },
    ],
  ])('%s with defaults %s', (check, defaults, expected) => {
    expect(checkOf(check, defaults)).toEqual({ ...DEFAULT_HEALTH_CHECK, ...expected })
  })

  it('of a target holds; others have the defaults where checks are enabled', () => {
    const text = (enabled: boolean): string =>
      `${proxyWith({
        defaultTarget:
          '[{ ip: 10.0.0.1, port: 80 }, { ip: 10.0.0.2, port: 80, healthCheck: { intervalMs: 5000 } }, { ip: 10.0.0.3, port: 80, healthCheck: { type: none } }]',
      })}settings: { healthCheckEnabled: ${enabled}, healthCheckDefaults: { timeoutMs: 700 } }\n`
    const checks = (enabled: boolean): (string | undefined)[] => {
      const { settings, proxies } = load(text(enabled))
      return (proxies[0]?.defaultTarget ?? []).map((target) => {
        const check = healthCheckOf(settings, target)
        return check === null ? undefined : `${check.intervalMs} ${check.timeoutMs}`
      })
    }
    expect(checks(false)).toEqual([undefined, '5000 700', undefined])
    expect(checks(true)).toEqual(['10000 700', '5000 700', undefined])
  })

  it('is one object where many targets have the same', () => {
    const targets = [1, 2, 3].map((n) => `{ ip: 10.0.0.${n}, port: 80, healthCheck: { intervalMs: 5000 } }`)
    const found =
      load(proxyWith({ defaultTarget: `[${targets.join(', ')}]` })).proxies[0]?.defaultTarget ?? []
    expect(new Set(found.map(({ healthCheck }) => healthCheck)).size).toBe(1)
  })

  it.each([
    [
      '{ path: /x }',
      'path',
      '`path` has no effect on a `tcp` check',
      'It is for checks of type `http` and `https`: set `type`, or remove it.',
    ],
    [
      '{ type: http, sni: a }',
      'sni',
      '`sni` has no effect on a `http` check',
      'It is for checks of type `https`: set `type`, or remove it.',
    ],
    [
      '{ timeoutMs: 11000 }',
      '11000',
      'A check may take 11000 ms, but the next one is due after 10000 ms',
      'While a check of a target goes on, no other one of it begins.',
    ],
    [
      '{ type: http, method: HEAD, expectedBody: ok }',
      'ok',
      'The answer to a HEAD request has no body, so `expectedBody` is never found',
      'Use `GET`, or remove `expectedBody`.',
    ],
    [
      '{ type: http, path: health }',
      'health',
      '`path` is no path of a URL: "health"',
      'It starts with a slash and has no spaces, as in `/health`; others are written `%20`.',
    ],
    [
      '{ type: http, host: a b }',
      'a b',
      '`host` is no Host header: "a b"',
      'It is a name or address, perhaps with a port, as in `api.example.com:8080`.',
    ],
    [
      '{ type: https, caFile: ca.pem }',
      'ca.pem',
      '`caFile` is no absolute path: "ca.pem"',
      'It starts with a slash, as in `/etc/ssl/ca.pem`.',
    ],
    [
      '{ type: https, sni: 10.0.0.1 }',
      '10.0.0.1',
      '`10.0.0.1` is no hostname',
      'An address has a key of its own: `ip`.',
    ],
    [
      '{ type: http, expectedCodes: [] }',
      '[]',
      '`expectedCodes` is an empty list',
      'It needs at least one element.',
    ],
    [
      '{ type: http, expectedCodes: 200 }',
      '200',
      '`expectedCodes` must be a list, not 200',
      'Write a list of one: [200].',
    ],
    [
      '{ type: http, expectedCodes: [99] }',
      '99',
      'Each element of `expectedCodes` must be between 100 and 599, not 99',
      undefined,
    ],
    [
      '{ type: htttp }',
      'htttp',
      '`type` must be `tcp`, `http`, `https` or `none`, not "htttp"',
      'Did you mean `http`?',
    ],
    [
      '{ type: htttp, path: /x }',
      'htttp',
      '`type` must be `tcp`, `http`, `https` or `none`, not "htttp"',
      'Did you mean `http`?',
    ],
    ['{ intervalMs: 999 }', '999', '`intervalMs` must be between 1000 and 300000, not 999', undefined],
    ['tcp', 'tcp', '`healthCheck` must be a map, not "tcp"', 'Write { type: tcp }.'],
  ])('%s is refused or warned of', (check, ...expected) => {
    const target = `{ ip: 10.0.0.1, port: 80, healthCheck: ${check} }`
    expect(onlyProblem(proxyWith({ defaultTarget: target }))).toEqual(expected)
  })

  it('is warned of, not refused, when it takes long', () => {
    const target = '{ ip: 10.0.0.1, port: 80, healthCheck: { intervalMs: 1000, timeoutMs: 2000 } }'
    expect(problemsOf(proxyWith({ defaultTarget: target })).map(({ severity }) => severity)).toEqual([
      'warning',
    ])
  })

  it('of short interval may leave the timeout to the defaults', () => {
    expect(checkOf('{ intervalMs: 1000 }')).toMatchObject({ intervalMs: 1000, timeoutMs: 3000 })
  })
})

describe('a target', () => {
  it.each([
    [
      '{ ip: 10.0.0.1, host: a, port: 80 }',
      '10.0.0.1',
      'This target has both `ip` and `host`',
      'Remove one of the two, or make two targets of it.',
    ],
    [
      '{ port: 80 }',
      '{ port: 80 }',
      'This target has no `ip` or `host`',
      'Say the address of the server, or its name under `host`.',
    ],
    ['{ hots: a, port: 80 }', 'hots', 'Unknown key `hots`', 'Did you mean `host`?'],
    [
      '{ ip: 10.0.0.1, port: 80, dnsRefreshSeconds: 5 }',
      '5',
      '`dnsRefreshSeconds` has no effect on a target without `host`',
      'Addresses are not looked up: remove it.',
    ],
    [
      '{ host: a, port: 80, dnsRefreshSeconds: 3601 }',
      '3601',
      '`dnsRefreshSeconds` must be between 1 and 3600, not 3601',
      undefined,
    ],
    [
      '{ host: 10.0.0.1, port: 80 }',
      '10.0.0.1',
      '`10.0.0.1` is no hostname',
      'An address has a key of its own: `ip`.',
    ],
    [
      '{ host: "a:80", port: 80 }',
      '"a:80"',
      '`a:80` is no hostname',
      'The port has a key of its own: `port`.',
    ],
    [
      '{ host: "http://a/", port: 80 }',
      '"http://a/"',
      '`http://a/` is no hostname',
      'Leave out `http://`, and all that follows the name.',
    ],
    ['{ host: "*.a", port: 80 }', '"*.a"', '`*.a` is no hostname', 'It must be one name, without wildcards.'],
    [
      '{ host: bücher.example, port: 80 }',
      'bücher.example',
      '`bücher.example` is no hostname',
      'Write the name in its ASCII form, which starts with `xn--`.',
    ],
    [
      `{ host: ${'a'.repeat(64)}.b, port: 80 }`,
      `${'a'.repeat(64)}.b`,
      `\`${'a'.repeat(57)}…\` is no hostname`,
      'A part between dots has at most 63 characters.',
    ],
    [
      '{ ip: 10.0.0.1, port: 80, drain: yes }',
      'yes',
      '`drain` must be `true` or `false`, not "yes"',
      'Write true, without quotes.',
    ],
    [
      '[{ host: a, port: 80 }, { host: A, port: 80 }]',
      'A',
      'Target `a:80` is in this list twice',
      'Remove one of the two; to give a target a larger share, give it a larger weight.',
    ],
  ])('%s is refused', (target, ...expected) => {
    expect(onlyProblem(proxyWith({ defaultTarget: target }))).toEqual(expected)
  })

  it.each([
    ['healthCheck', 'healthCheck: { intervalMs: 5000 }'],
    ['drain', 'drain: true'],
  ])('has the same %s in all lists of its proxy', (key, said) => {
    const target = `{ ip: 10.0.0.1, port: 80, ${said} }`
    const proxy = (other: string): string =>
      proxyWith({ defaultTarget: target, sourceRoutes: `[{ source: 192.0.2.0/24, target: ${other} }]` })
    expect(problemsOf(proxy(target))).toEqual([])
    expect(onlyProblem(proxy('{ ip: 10.0.0.1, port: 80 }'))).toEqual([
      '{ ip: 10.0.0.1, port: 80 }',
      `Target \`10.0.0.1:80\` has another \`${key}\` here than in another list of this proxy`,
      'Say the same in all lists that have it.',
    ])
  })

  it('has names of 253 characters, and labels of 63', () => {
    const name = `${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(61)}`
    expect(name).toHaveLength(253)
    expect(
      load(
        proxyWith({ defaultTarget: `{ host: ${name}, port: 80 }` }),
        'yaml',
        new Map([[name, ['10.0.0.1']]]),
      ).proxies,
    ).toHaveLength(1)
    expect(onlyProblem(proxyWith({ defaultTarget: `{ host: ${name}c, port: 80 }` }))[2]).toBe(
      'A name has at most 253 characters.',
    )
  })
})
