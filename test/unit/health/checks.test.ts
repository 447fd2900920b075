import { expect, test } from 'vitest'
import { distinctChecks, type CheckedTarget } from '../../../src/engine/health/checks.ts'
import type { HealthCheck } from '../../../src/engine/model/policy.ts'

const TCP: HealthCheck = {
  ...{ type: 'tcp', port: null, intervalMs: 1000, timeoutMs: 500, http: null, tls: null },
  ...{ healthyThreshold: 2, unhealthyThreshold: 3 },
}
const HTTP: HealthCheck = {
  ...TCP,
  type: 'http',
  http: { method: 'GET', path: '/', host: null, expectedCodes: [200, 204], expectedBody: null },
}

function target(proxy: string, ip: string, port: number, check: HealthCheck): CheckedTarget {
  return { key: { proxy, ip, port, protocol: 'tcp' }, check }
}

/** `tcp 10.0.0.1:80 for a/80 b/80`. */
function shown(...targets: CheckedTarget[]): string[] {
  return [...distinctChecks(targets).values()].map(({ request: { ip, port, check }, targets: of }) => {
    const names = of.map(({ key }) => `${key.proxy}/${key.port}`)
    return `${check.type} ${ip}:${port} for ${names.join(' ')}`
  })
}

test('what several proxies share is asked once', () => {
  const a = target('a', '10.0.0.1', 80, TCP)
  const b = target('b', '10.0.0.1', 80, TCP)
  expect(shown(b, a, target('a', '10.0.0.2', 80, TCP), a)).toEqual([
    'tcp 10.0.0.1:80 for a/80 b/80',
    'tcp 10.0.0.2:80 for a/80',
  ])
})

test('a port of the check makes one of several targets', () => {
  const check = { ...TCP, port: 9000 }
  expect(shown(target('a', '10.0.0.1', 80, check), target('a', '10.0.0.1', 81, check))).toEqual([
    'tcp 10.0.0.1:9000 for a/80 a/81',
  ])
})

test('thresholds are each target’s own, all else makes another check', () => {
  const others: HealthCheck[] = [
    { ...HTTP, intervalMs: 2000 },
    { ...HTTP, timeoutMs: 600 },
    { ...HTTP, type: 'https', tls: { sni: null, caFile: null, insecureSkipVerify: false } },
    { ...HTTP, type: 'https', tls: { sni: 'a', caFile: null, insecureSkipVerify: false } },
    { ...HTTP, type: 'https', tls: { sni: null, caFile: '/a', insecureSkipVerify: false } },
    { ...HTTP, type: 'https', tls: { sni: null, caFile: null, insecureSkipVerify: true } },
    ...(
      [
        { path: '/a' },
        { method: 'HEAD' },
        { host: 'a' },
        { expectedCodes: [200] },
        { expectedBody: 'a' },
      ] as const
    ).map((http) => ({ ...HTTP, http: { ...HTTP.http!, ...http } })),
    TCP,
  ]
  const targets = [HTTP, ...others].map((check, i) => target(`p${i}`, '10.0.0.1', 80, check))
  expect(distinctChecks(targets).size).toBe(targets.length)

  const same = { ...HTTP, healthyThreshold: 9, http: { ...HTTP.http!, expectedCodes: [204, 200] } }
  const checks = [...distinctChecks([targets[0]!, target('z', '10.0.0.1', 80, same)]).values()]
  expect(checks).toHaveLength(1)
  expect(checks[0]!.targets.map(({ limits }) => limits.healthyThreshold)).toEqual([2, 9])
})

test('none is not checked', () => {
  expect(shown(target('a', '10.0.0.1', 80, { ...TCP, type: 'none' }))).toEqual([])
})

test('a target that lists check in two ways has one check, the same in any order', () => {
  const tcp = target('a', '10.0.0.1', 80, TCP)
  const http = target('a', '10.0.0.1', 80, HTTP)
  expect(shown(tcp, http)).toHaveLength(1)
  expect(shown(tcp, http)).toEqual(shown(http, tcp))
})
