/** Random health checks, drains and settings of the daemon, as a configuration can give them. */
import fc from 'fast-check'
import { DEFAULT_DAEMON_SETTINGS, DEFAULT_HEALTH_CHECK } from '../../src/engine/model/policy.ts'
import type { DaemonSettings, HealthCheck, HttpCheck, TlsCheck } from '../../src/engine/model/policy.ts'
import type { Target } from '../../src/engine/model/snapshot.ts'

const port = fc.integer({ min: 1, max: 65535 })
const hostname = fc.constantFrom('api.example.com', 'a', 'xn--bcher-kva.example', 'null', '10.example')

const httpCheck: fc.Arbitrary<HttpCheck> = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'OPTIONS'),
    path: fc.constantFrom('/health', '/', '/a/b?c=d#e', '/%20', "/'"),
    host: fc.option(fc.constantFrom('api.example.com', 'api.example.com:8080', '[fd00::1]:80')),
    expectedCodes: fc
      .uniqueArray(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 5 })
      .map((codes) => codes.sort((a, b) => a - b)),
    expectedBody: fc.option(fc.constantFrom('ok', '"up": true', 'null', 'a: b # c', 'zwölf\n')),
  } as const)
  // A HEAD has no body.
  .map((check) => (check.method === 'HEAD' ? { ...check, expectedBody: null } : check))

const tlsCheck: fc.Arbitrary<TlsCheck> = fc.record({
  sni: fc.option(hostname),
  caFile: fc.option(fc.constantFrom('/etc/ssl/ca.pem', '/a b/c.pem')),
  insecureSkipVerify: fc.boolean(),
})

/** Those that a configuration with `base` as its defaults can say: what the base has, a check cannot be without. */
export function healthCheckOn(base: HealthCheck): fc.Arbitrary<HealthCheck> {
  return fc
    .record({
      type: fc.constantFrom<HealthCheck['type']>('tcp', 'http', 'https', 'none'),
      port: fc.option(port).map((number) => number ?? base.port),
      intervalMs: fc.oneof(fc.constant(base.intervalMs), fc.integer({ min: 1000, max: 300_000 })),
      timeoutMs: fc.oneof(fc.constant(base.timeoutMs), fc.integer({ min: 100, max: 1000 })),
      healthyThreshold: fc.integer({ min: 1, max: 10 }),
      unhealthyThreshold: fc.integer({ min: 1, max: 10 }),
      http: httpCheck,
      tls: tlsCheck,
    })
    .map((check) => ({
      ...check,
      http: check.type === 'http' || check.type === 'https' ? onHttp(base.http, check.http) : null,
      tls: check.type === 'https' ? onTls(base.tls, check.tls) : null,
    }))
}

function onHttp(base: HttpCheck | null, check: HttpCheck): HttpCheck {
  const expectedBody = check.expectedBody ?? base?.expectedBody ?? null
  const method = expectedBody !== null && check.method === 'HEAD' ? 'GET' : check.method
  return { ...check, method, host: check.host ?? base?.host ?? null, expectedBody }
}

function onTls(base: TlsCheck | null, check: TlsCheck): TlsCheck {
  return { ...check, sni: check.sni ?? base?.sni ?? null, caFile: check.caFile ?? base?.caFile ?? null }
}

export const daemonSettings: fc.Arbitrary<DaemonSettings> = fc.oneof(
  fc.constant(DEFAULT_DAEMON_SETTINGS),
  fc.record({
    healthCheckEnabled: fc.boolean(),
    healthCheckDefaults: fc.oneof(fc.constant(DEFAULT_HEALTH_CHECK), healthCheckOn(DEFAULT_HEALTH_CHECK)),
    defaultDrainTimeoutMs: fc.integer({ min: 1000, max: 3_600_000 }),
    drainCheckIntervalMs: fc.integer({ min: 100, max: 60_000 }),
    circuitBreaker: fc.record({
      enabled: fc.boolean(),
      errorThresholdPct: fc.integer({ min: 1, max: 100 }),
      minRequests: fc.integer({ min: 1, max: 1_000_000 }),
      openDurationMs: fc.integer({ min: 1000, max: 600_000 }),
      halfOpenRequests: fc.integer({ min: 1, max: 1000 }),
      windowSizeMs: fc.integer({ min: 1000, max: 300_000 }),
    }),
    loadBalancing: fc.record({
      algorithm: fc.constantFrom('weighted-random', 'least-connections'),
      weighted: fc.boolean(),
      updateIntervalMs: fc.integer({ min: 100, max: 10_000 }),
    }),
    metrics: fc.record({
      enabled: fc.boolean(),
      port: fc.integer({ min: 1024, max: 65535 }),
      path: fc.constantFrom('/metrics', '/', '/a/b'),
    }),
    onDrift: fc.constantFrom('report', 'reconcile'),
  } as const),
)

/** A health check and a drain, or more often neither. `checks` are those that there are to choose from. */
export function policiesOf(
  checks: fc.Arbitrary<HealthCheck>,
): fc.Arbitrary<Pick<Target, 'healthCheck' | 'drain'>> {
  return fc
    .record({ healthCheck: fc.option(checks, { freq: 2 }), drain: fc.nat({ max: 4 }) })
    .map(({ healthCheck, drain }) => ({
      ...(healthCheck && { healthCheck }),
      ...(drain === 0 && { drain: true as const }),
    }))
}
