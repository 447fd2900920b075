import type { CircuitBreaker } from '../../../src/engine/model/policy.ts'

export const POLICY: CircuitBreaker = {
  enabled: true,
  errorThresholdPct: 50,
  minRequests: 10,
  openDurationMs: 3000,
  halfOpenRequests: 3,
  windowSizeMs: 10_000,
}
