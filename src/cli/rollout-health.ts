/** Waiting until new targets work: as the daemon finds out, or else by asking them ourselves. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from '../engine/execute/world.ts'
import { readRuntime } from '../engine/live/runtime.ts'
import { LbError } from '../engine/model/errors.ts'
import { formatEndpoint } from '../engine/model/ip.ts'
import { DEFAULT_HEALTH_CHECK, healthCheckOf } from '../engine/model/policy.ts'
import type { HealthCheck } from '../engine/model/policy.ts'
import type { Proxy, Settings, Target } from '../engine/model/snapshot.ts'
import type { ProbePort } from '../engine/ports/probe.ts'
import { openProber } from './context.ts'

const LOOK_MS = 200

/** For targets that nothing else is configured for: one connection that is accepted. */
const CONNECT: HealthCheck = { ...DEFAULT_HEALTH_CHECK, timeoutMs: 1000, healthyThreshold: 1 }

export interface HealthWait {
  readonly proxy: Proxy
  readonly settings: Settings
  /** A daemon runs: it checks what is configured to be checked. */
  readonly daemon: boolean
  readonly timeoutMs: number
}

/** How a target is found to work. `none`: there is no way. */
export function wayOfChecking(
  { proxy, settings, daemon }: HealthWait,
  target: Target,
): 'daemon' | 'probe' | 'none' {
  const check = healthCheckOf(settings, target)
  if (check && daemon) return 'daemon'
  return check || proxy.listen.protocol === 'tcp' ? 'probe' : 'none'
}

/** Resolves when all of them work. @throws LbError `refused`, naming those that do not in time */
export async function waitForHealth(
  world: World,
  targets: readonly Target[],
  options: HealthWait,
): Promise<void> {
  const end = performance.now() + options.timeoutMs
  const prober = await openProber()
  const look = (target: Target): Look =>
    wayOfChecking(options, target) === 'daemon'
      ? asked(world, target, options)
      : probed(prober, target, options)
  const found = await Promise.all(targets.map((target) => isWell(look(target), end)))
  const sick = targets.flatMap(({ ip, port }, i) => {
    const why = found[i]
    return why === undefined ? [] : [`${formatEndpoint(ip, port)} (${why})`]
  })
  if (sick.length === 0) return
  const seconds = options.timeoutMs / 1000
  throw new LbError('refused', `not healthy within ${seconds} s: ${sick.join(', ')}`)
}

/** `undefined`, or why not. */
async function isWell(look: Look, end: number): Promise<string | undefined> {
  for (;;) {
    const why = await look()
    if (why === undefined) return undefined
    const left = end - performance.now()
    if (left <= 0) return why
    await sleep(Math.min(left, LOOK_MS))
  }
}

type Look = () => Promise<string | undefined>

function asked({ kernel, paths }: World, { ip, port }: Target, { proxy }: HealthWait): Look {
  const key = { proxy: proxy.name, ip, port, protocol: proxy.listen.protocol }
  return () => {
    const { state } = readRuntime(kernel, paths, key).health
    return Promise.resolve(state === 'healthy' ? undefined : state === 'unknown' ? 'not checked' : state)
  }
}

/** As many successes in a row as its check asks for. */
function probed(prober: ProbePort, target: Target, { settings }: HealthWait): Look {
  const check = healthCheckOf(settings, target) ?? CONNECT
  let successes = 0
  return async () => {
    const result = await prober.probe({ ip: target.ip, port: check.port ?? target.port, check })
    successes = result.ok ? successes + 1 : 0
    if (successes >= check.healthyThreshold) return undefined
    return result.ok ? `${successes} of ${check.healthyThreshold} successes` : result.error
  }
}
