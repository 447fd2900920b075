/** The shapes of what is configured about targets and the daemon. Limits are those of the schema where JSON has none. */
import { DEFAULT_DAEMON_SETTINGS } from '../model/policy.ts'
import type {
  CircuitBreaker,
  DaemonSettings,
  HealthCheck,
  HttpCheck,
  LoadBalancing,
  Metrics,
  TlsCheck,
} from '../model/policy.ts'
import type { Origin } from '../model/snapshot.ts'
import { flag, listOf, nullable, oneOf, otherwise, record, text, whole } from './shape.ts'
import type { Shape } from './shape.ts'

const U16 = 0xffff
const U32 = 0xffffffff

/** Milliseconds, percent, counts: whatever the schema allows fits. */
const number = whole(0, U32)

export const healthCheck: Shape<HealthCheck> = record<HealthCheck>({
  type: oneOf('tcp', 'http', 'https', 'none'),
  port: nullable(whole(1, U16)),
  intervalMs: number,
  timeoutMs: number,
  healthyThreshold: number,
  unhealthyThreshold: number,
  http: nullable(
    record<HttpCheck>({
      method: oneOf('GET', 'HEAD', 'OPTIONS'),
      path: text,
      host: nullable(text),
      expectedCodes: listOf(whole(100, 599)),
      expectedBody: nullable(text),
    }),
  ),
  tls: nullable(record<TlsCheck>({ sni: nullable(text), caFile: nullable(text), insecureSkipVerify: flag })),
})

export const origin = record<Origin>({
  host: text,
  weight: nullable(whole(1, U16)),
  dnsRefreshSeconds: number,
})

const circuitBreaker = record<CircuitBreaker>({
  enabled: flag,
  errorThresholdPct: number,
  minRequests: number,
  openDurationMs: number,
  halfOpenRequests: number,
  windowSizeMs: number,
})

const loadBalancing = record<LoadBalancing>({
  algorithm: oneOf('weighted-random', 'least-connections'),
  weighted: flag,
  updateIntervalMs: number,
})

const metrics = record<Metrics>({ enabled: flag, port: whole(1, U16), path: text })

const usual = DEFAULT_DAEMON_SETTINGS

/** Documents from before there was a daemon do not have them. */
export const daemonSettings: { readonly [K in keyof DaemonSettings]: Shape<DaemonSettings[K]> } = {
  healthCheckEnabled: otherwise(usual.healthCheckEnabled, flag),
  healthCheckDefaults: otherwise(usual.healthCheckDefaults, healthCheck),
  defaultDrainTimeoutMs: otherwise(usual.defaultDrainTimeoutMs, number),
  drainCheckIntervalMs: otherwise(usual.drainCheckIntervalMs, number),
  circuitBreaker: otherwise(usual.circuitBreaker, circuitBreaker),
  loadBalancing: otherwise(usual.loadBalancing, loadBalancing),
  metrics: otherwise(usual.metrics, metrics),
  onDrift: otherwise<DaemonSettings['onDrift']>(usual.onDrift, oneOf('report', 'reconcile')),
}
