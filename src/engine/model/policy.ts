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
  readonly defaultDrainTimeoutMs: number
  readonly drainCheckIntervalMs: number
  readonly circuitBreaker: CircuitBreaker
  readonly loadBalancing: LoadBalancing
  readonly metrics: Metrics
  /** What the daemon does when the kernel no longer is as its files say. */
  readonly onDrift: 'report' | 'reconcile'
}
