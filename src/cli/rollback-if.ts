/** `lb apply --rollback-if`: watches the targets of a new generation, and goes back where they turn out sick. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askDaemon } from '../daemon/control/client.ts'
import { socketPath } from '../daemon/control/protocol.ts'
import { identityOf } from '../engine/abi/numbering.ts'
import { endConfirmation, goBackFrom } from '../engine/execute/confirm.ts'
import type { World } from '../engine/execute/world.ts'
import { describeTally, holds } from '../engine/health/condition.ts'
import type { Condition, Tally } from '../engine/health/condition.ts'
import { readBackendCounters } from '../engine/live/counters.ts'
import { readConfirmation, servingNumber } from '../engine/live/confirmation.ts'
import { countedBetween } from '../engine/live/deltas.ts'
import { readRuntimes } from '../engine/live/runtime.ts'
import { targetId } from '../engine/abi/runtime.ts'
import type { Confirmation } from '../engine/model/confirmation.ts'
import { outcomesOf } from '../engine/model/counters.ts'
import { LbError } from '../engine/model/errors.ts'
import { formatEndpoint } from '../engine/model/ip.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import { healthCheckOf } from '../engine/model/policy.ts'
import type { TargetKey } from '../engine/model/runtime.ts'
import type { Target } from '../engine/model/snapshot.ts'
import { differing } from '../engine/plan/differing.ts'
import { locked } from './locking.ts'
import { runDir } from './run-dir.ts'

const LOOK_MS = 200

export interface WatchedTarget {
  readonly key: TargetKey
  readonly target: Target
}

/** Targets of the proxies that the plan adds or changes, or of all where it changes none; not those that it drains. */
export function watchedTargets({ base, desired }: ExecutablePlan): WatchedTarget[] {
  const [, { snapshot }] = differing(base, desired)
  const changed = new Set(snapshot.proxies.map(({ name }) => name))
  const all = desired.snapshot.proxies
  const proxies = changed.size > 0 ? all.filter(({ name }) => changed.has(name)) : all
  const found = new Map<string, WatchedTarget>()
  for (const { name: proxy, listen, defaultTarget, sourceRoutes } of proxies) {
    for (const target of [...defaultTarget, ...sourceRoutes.flatMap(({ targets }) => targets)]) {
      const key = { proxy, ip: target.ip, port: target.port, protocol: listen.protocol }
      if (!target.drain) found.set(targetId(key), { key, target })
    }
  }
  return [...found.values()]
}

/**
 * Before anything is changed.
 * @throws LbError `refused` where nobody would find out, or it is so from the beginning
 */
export async function requireWatchable(
  world: World,
  { desired }: ExecutablePlan,
  targets: readonly WatchedTarget[],
  conditions: readonly Condition[],
): Promise<void> {
  const well: Tally = { targets: targets.length, unhealthy: 0, requests: 0, errors: 0 }
  const always = conditions.find((condition) => holds(condition, well))
  if (always) {
    throw new LbError(
      'refused',
      `'${always.text}' is so with all of ${targets.length} targets healthy; nothing was changed`,
    )
  }
  const [ofHealth] = conditions.filter(({ what }) => what !== 'errors')
  if (!ofHealth) return
  const { settings } = desired.snapshot
  const checked = targets.some(({ target }) => healthCheckOf(settings, target) !== null)
  if (!checked) {
    throw new LbError(
      'refused',
      `'${ofHealth.text}': no target of the plan is checked; nothing was changed`,
      {
        hint: 'settings.healthCheckEnabled: true checks all of them',
      },
    )
  }
  if (await hasDaemon(world)) return
  throw new LbError('refused', `'${ofHealth.text}': no daemon checks the targets; nothing was changed`, {
    hint: "`lb watch` runs one; 'errors > 5%' does without, by what the data plane counts",
  })
}

async function hasDaemon({ instance }: World): Promise<boolean> {
  return (await askDaemon(socketPath(runDir(), instance), 'GET', '/v1/daemon')) !== undefined
}

export interface WatchOptions {
  readonly targets: readonly WatchedTarget[]
  readonly conditions: readonly Condition[]
  readonly watchMs: number
  readonly note: (text: string) => void
}

/**
 * Resolves when the time is over and no condition held; a generation that only this watch was to confirm is
 * confirmed then.
 * @throws LbError `apply-failed` where it went back, `apply-broken` where it could not
 */
export async function watchTargets(
  world: World,
  { generation, previous, deadline, kind }: Confirmation,
  { targets, conditions, watchMs, note }: WatchOptions,
): Promise<void> {
  const look = observer(world, targets)
  const end = performance.now() + watchMs
  const goBack = (why: string): Promise<never> => goBackBecause(world, { generation, previous }, why, note)
  note(
    `Watching ${targets.length} target${targets.length === 1 ? '' : 's'} for ${watchMs / 1000} s: ${conditions.map((c) => c.text).join(', ')}`,
  )
  for (;;) {
    const serving = servingNumber(world.kernel, world.paths)
    if (serving !== generation) {
      const now = serving === 0 ? 'nothing serves' : `generation ${serving} serves`
      throw new LbError('apply-failed', `generation ${generation} was taken back by somebody else; ${now}`)
    }
    const { tally, sick } = look()
    const held = conditions.find((condition) => holds(condition, tally))
    if (held) {
      await goBack(`${held.text} (${describeTally(held, tally)}): ${sick(held)}`)
    }
    const left = end - performance.now()
    if (left <= 0) break
    await sleep(Math.min(left, LOOK_MS))
  }
  if (conditions.some(({ what }) => what !== 'errors') && !(await hasDaemon(world))) {
    await goBack('the daemon that checks the targets is gone')
  }
  if (kind !== 'watched') return
  await locked(world, { noWait: false, note }, () => {
    const found = readConfirmation(world.kernel, world.paths)
    if (found?.generation === generation && found.deadline === deadline) endConfirmation(world)
  })
}

interface Seen {
  readonly tally: Tally
  /** The targets that a condition is about, by name. */
  readonly sick: (condition: Condition) => string
}

/** What becomes known of targets from now on. */
function observer({ kernel, paths }: World, targets: readonly WatchedTarget[]): () => Seen {
  const before = readBackendCounters(kernel, paths)
  return () => {
    const runtimes = readRuntimes(kernel, paths)
    const counted = countedBetween(before, readBackendCounters(kernel, paths))
    const unhealthy = targets.filter(
      ({ key }) => runtimes.get(targetId(key))?.runtime.health.state === 'unhealthy',
    )
    // Proxies may share a backend, and its counters.
    const identities = new Set(
      targets.map(({ key: { ip, port, protocol } }) => identityOf(ip, port, protocol)),
    )
    const failing: string[] = []
    let requests = 0
    let errors = 0
    for (const identity of identities) {
      const counters = counted.get(identity)
      if (!counters) continue
      const outcomes = outcomesOf(counters)
      requests += outcomes.successes + outcomes.errors
      errors += outcomes.errors
      if (outcomes.errors > 0) failing.push(`${identity} (${outcomes.errors})`)
    }
    const names = unhealthy.map(({ key: { proxy, ip, port } }) => `${proxy} ${formatEndpoint(ip, port)}`)
    return {
      tally: { targets: targets.length, unhealthy: unhealthy.length, requests, errors },
      sick: ({ what }) => listed(what === 'errors' ? failing : names),
    }
  }
}

const SHOWN = 10

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ')
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown
}

async function goBackBecause(
  world: World,
  { generation, previous }: Pick<Confirmation, 'generation' | 'previous'>,
  why: string,
  note: (text: string) => void,
): Promise<never> {
  const serving = previous === 0 ? 'nothing serves, as before' : `generation ${previous} serves`
  try {
    await locked(world, { noWait: false, note }, () =>
      goBackFrom(world, { generation, previous }, (step, detail) => note(`${step}: ${detail}`)),
    )
  } catch (cause) {
    if (!(cause instanceof LbError)) throw cause
    throw new LbError(
      'apply-broken',
      `${why}; generation ${generation} could not be taken back: ${cause.message}`,
      {
        cause,
        hint: '`lb history` lists the generations, `lb rollback --to` chooses one',
      },
    )
  }
  throw new LbError('apply-failed', `went back from generation ${generation}: ${why}; ${serving}`)
}
