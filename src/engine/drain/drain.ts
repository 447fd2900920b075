/**
 * A drain: a target gets no new connections, and those that it has are waited for. It ends when there are none
 * any more, when its time is over, or when it is cancelled. Completed or not, the target stays out until then.
 */
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetRuntime } from '../model/runtime.ts'

export type Drain = TargetRuntime['drain']

/** How long a drain lasts that is waited for as long as it takes. */
export const NO_TIMEOUT = 0

/**
 * Begins a drain, or gives one that goes on another deadline.
 * @param timeoutMs from now; NO_TIMEOUT: none
 */
export function startDrain(drain: Drain, now: number, timeoutMs: number, connections: number): Drain {
  const deadline = timeoutMs === NO_TIMEOUT ? 0 : now + timeoutMs
  if (drain.state === 'draining') return observeConnections({ ...drain, deadline }, now, connections)
  return observeConnections(
    { state: 'draining', since: now, deadline, initial: connections },
    now,
    connections,
  )
}

/** So many connections are left now. */
export function observeConnections(drain: Drain, now: number, connections: number): Drain {
  if (drain.state !== 'draining') return drain
  if (connections === 0) return { ...drain, state: 'completed', since: now }
  if (drain.deadline !== 0 && now >= drain.deadline) return { ...drain, state: 'timeout', since: now }
  return drain
}

/** The target is back; what was found out is forgotten. */
export function cancelDrain(): Drain {
  return FRESH_RUNTIME.drain
}
