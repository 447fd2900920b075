/** One question to a target whether it works, and what came of it. */
import type { HealthCheck } from './policy.ts'

export interface ProbeRequest {
  readonly ip: string
  /** That of the check, where it names one, or of the target. */
  readonly port: number
  /** Of any type but `none`. */
  readonly check: HealthCheck
}

export type ProbeResult =
  | { readonly ok: true; readonly latencyMs: number; readonly error: null }
  | {
      readonly ok: false
      readonly latencyMs: number
      /** For people: `connection refused`, `timeout after 3000 ms`, `HTTP 503`. */
      readonly error: string
      /** Something on this host was in the way (descriptors, ports, the CA file): nothing is known of the target. */
      readonly inconclusive: boolean
    }
