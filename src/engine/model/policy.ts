/** What the daemon does about targets, as configured: every default filled in. */

/** How a target is asked whether it works. */
export interface HealthCheck {
  readonly type: 'tcp' | 'http' | 'https' | 'none'
  /** Where to connect; `null`: the target's own port. */
  readonly port: number | null
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Consecutive successes that make a target healthy, and failures that make it unhealthy. */
  readonly healthyThreshold: number
  readonly unhealthyThreshold: number
  /** `http` and `https` only; `null` for the other types. */
  readonly http: HttpCheck | null
  /** `https` only. */
  readonly tls: TlsCheck | null
}

export interface HttpCheck {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS'
  readonly path: string
  /** The Host header; `null`: address and port. */
  readonly host: string | null
  readonly expectedCodes: readonly number[]
  /** A text that the body must contain; `null`: any body. */
  readonly expectedBody: string | null
}

export interface TlsCheck {
  /** Server name indication (RFC 6066, 3) and the name the certificate must be for; `null`: the Host header, or none. */
  readonly sni: string | null
  /** PEM file with the authorities to trust; `null`: those of the system. */
  readonly caFile: string | null
  readonly insecureSkipVerify: boolean
}

export interface CircuitBreaker {
  readonly enabled: boolean
  readonly errorThresholdPct: number
  readonly minRequests: number
  readonly openDurationMs: number
  readonly halfOpenRequests: number
  readonly windowSizeMs: number
}

export interface LoadBalancing {
  readonly algorithm: 'weighted-random' | 'least-connections'
  readonly weighted: boolean
  readonly updateIntervalMs: number
}

export interface Metrics {
  readonly enabled: boolean
  readonly port: number
  readonly path: string
}

/** Settings that only the daemon and the commands read, not the packet path. */
export interface DaemonSettings {
  /** Targets without a health check of their own have `healthCheckDefaults`. */
  readonly healthCheckEnabled: boolean
  readonly healthCheckDefaults: HealthCheck
  readonly defaultDrainTimeoutMs: number
  readonly drainCheckIntervalMs: number
  readonly circuitBreaker: CircuitBreaker
  readonly loadBalancing: LoadBalancing
  readonly metrics: Metrics
  /** What the daemon does when the kernel no longer is as its files say. */
  readonly onDrift: 'report' | 'reconcile'
}

export const DEFAULT_HTTP_CHECK: HttpCheck = {
  method: 'GET',
  path: '/health',
  host: null,
  expectedCodes: [200, 201, 202, 204],
  expectedBody: null,
}

export const DEFAULT_TLS_CHECK: TlsCheck = { sni: null, caFile: null, insecureSkipVerify: false }

export const DEFAULT_HEALTH_CHECK: HealthCheck = {
  type: 'tcp',
  port: null,
  intervalMs: 10_000,
  timeoutMs: 3000,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
  http: null,
  tls: null,
}

/** The defaults of the schema, for where there is no configuration. */
export const DEFAULT_DAEMON_SETTINGS: DaemonSettings = {
  healthCheckEnabled: false,
  healthCheckDefaults: DEFAULT_HEALTH_CHECK,
  defaultDrainTimeoutMs: 30_000,
  drainCheckIntervalMs: 1000,
  circuitBreaker: {
    enabled: false,
    errorThresholdPct: 50,
    minRequests: 10,
    openDurationMs: 30_000,
    halfOpenRequests: 3,
    windowSizeMs: 60_000,
  },
  loadBalancing: { algorithm: 'weighted-random', weighted: true, updateIntervalMs: 1000 },
  metrics: { enabled: false, port: 9090, path: '/metrics' },
  onDrift: 'report',
}

/** How a target is checked: its own check, or that of the settings; `null` where it is not checked. */
export function healthCheckOf(
  { healthCheckEnabled, healthCheckDefaults }: DaemonSettings,
  { healthCheck }: { readonly healthCheck?: HealthCheck },
): HealthCheck | null {
  const check = healthCheck ?? (healthCheckEnabled ? healthCheckDefaults : null)
  return check?.type === 'none' ? null : check
}

/** A health check under the keys of the configuration language; without keys that its type or the host has none for. */
export type HealthCheckKeys = {
  readonly [K in keyof AllKeys]?: NonNullable<AllKeys[K]>
}
type AllKeys = Omit<HealthCheck, 'http' | 'tls'> & HttpCheck & TlsCheck

/** All of them, in the order of the documentation, which does not depend on how a check was made. */
const HEALTH_CHECK_KEYS: Readonly<Record<keyof AllKeys, null>> = {
  type: null,
  port: null,
  intervalMs: null,
  timeoutMs: null,
  healthyThreshold: null,
  unhealthyThreshold: null,
  method: null,
  path: null,
  host: null,
  expectedCodes: null,
  expectedBody: null,
  sni: null,
  caFile: null,
  insecureSkipVerify: null,
}

export function healthCheckKeys({ http, tls, ...check }: HealthCheck): HealthCheckKeys {
  const keys = Object.entries({ ...HEALTH_CHECK_KEYS, ...check, ...http, ...tls })
  return Object.fromEntries(keys.filter(([, value]) => value !== null))
}
