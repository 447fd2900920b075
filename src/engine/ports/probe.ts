/** Asking a target whether it works. Implemented by src/daemon/prober.ts. */
import type { ProbeRequest, ProbeResult } from '../model/probe.ts'

export interface ProbePort {
  /** Never rejects, and settles within the check's `timeoutMs`; at once, as inconclusive, when `signal` aborts. */
  probe(request: ProbeRequest, signal?: AbortSignal): Promise<ProbeResult>
}
