/** What a person does to one target: drain it, bring it back, set its breaker. */
import { numberDeployment } from '../abi/numbering.ts'
import { targetId } from '../abi/runtime.ts'
import { groupsByProxy, withDeclaredDrain } from '../abi/selection.ts'
import { cancelDrain, startDrain } from '../drain/drain.ts'
import { readRuntimes } from '../live/runtime.ts'
import { LbError } from '../model/errors.ts'
import { formatEndpoint } from '../model/ip.ts'
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey, TargetRuntime } from '../model/runtime.ts'
import type { Deployment } from '../model/snapshot.ts'
import { updateRuntime } from './runtime.ts'
import type { RuntimeUpdate } from './runtime.ts'
import type { World } from './world.ts'

export interface DrainOptions {
  /** NO_TIMEOUT: none. */
  readonly timeoutMs: number
  /** Connections that it has now. */
  readonly connections: number
  /** Also where that leaves a list without a target that is not drained. */
  readonly force: boolean
}

/** Begins a drain. @throws LbError `refused` where it would be the last of a list */
export function drainTarget(
  world: World,
  deployment: Deployment,
  key: TargetKey,
  { timeoutMs, connections, force }: DrainOptions,
): RuntimeUpdate[] {
  return updateRuntime(world, [key], (old) => {
    // Under the lock: of two at once, one sees the other.
    if (!force && old.drain.state === 'none') requireAnother(world, deployment, key)
    return { ...old, drain: startDrain(old.drain, world.host.monotonicMs(), timeoutMs, connections) }
  })
}

/** `[]` where it was not drained. @throws LbError `refused` where the configuration says so */
export function undrainTarget(world: World, deployment: Deployment, key: TargetKey): RuntimeUpdate[] {
  if (listsOf(deployment, key).some((list) => list.some((target) => target.drain && isSame(target, key)))) {
    throw new LbError('refused', `${nameOf(key)} is drained by the configuration (drain: true)`, {
      hint: 'take that out of the file and apply it',
    })
  }
  return updateRuntime(world, [key], (old) => ({ ...old, drain: cancelDrain() }))
}

export type CircuitAction = 'open' | 'close' | 'reset'

/** `open` holds until one of the others; `close` begins anew now; `reset` is as if nothing had ever been observed. */
export function setCircuit(world: World, key: TargetKey, action: CircuitAction): RuntimeUpdate[] {
  const now = world.host.monotonicMs()
  const breakers: Record<CircuitAction, TargetRuntime['breaker']> = {
    open: { state: 'open', since: now, forced: true },
    close: { state: 'closed', since: now, forced: false },
    reset: FRESH_RUNTIME.breaker,
  }
  return updateRuntime(world, [key], (old) => {
    const isOpen = action === 'open' && old.breaker.state === 'open' && old.breaker.forced
    return isOpen ? old : { ...old, breaker: breakers[action] }
  })
}

function requireAnother(world: World, deployment: Deployment, key: TargetKey): void {
  const runtimes = readRuntimes(world.kernel, world.paths)
  const { proxy, protocol } = key
  for (const list of listsOf(deployment, key)) {
    const isLast = list.every((target) => {
      const known = runtimes.get(targetId({ proxy, ip: target.ip, port: target.port, protocol }))
      const runtime = withDeclaredDrain(target, known?.runtime ?? FRESH_RUNTIME)
      return isSame(target, key) || runtime.drain.state !== 'none'
    })
    if (!isLast) continue
    throw new LbError('refused', `${nameOf(key)} is the last target of a list that is not drained`, {
      hint: 'with all of a list drained, they all get traffic again; --force does it all the same',
    })
  }
}

function listsOf(deployment: Deployment, { proxy, ...key }: TargetKey) {
  const { groups } = numberDeployment(deployment)
  return (groupsByProxy(deployment).get(proxy)?.rows ?? [])
    .map((row) => groups[row]!.targets)
    .filter((targets) => targets.some((target) => isSame(target, key)))
}

interface Place {
  readonly ip: string
  readonly port: number
}

const isSame = (a: Place, b: Place): boolean => a.ip === b.ip && a.port === b.port

export function nameOf({ proxy, ip, port }: TargetKey): string {
  return `target ${formatEndpoint(ip, port)} of proxy ${proxy}`
}
