/**
 * Carries a rollout out: each batch is drained, swapped by an apply like any other, and waited for. What is left to do is
 * always the difference between what serves and what is wanted; only the targets from before are written down, in
 * the provenance of the generations that it makes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { hex } from '../engine/abi/describe.ts'
import { cancelDrain } from '../engine/drain/drain.ts'
import { apply } from '../engine/execute/apply.ts'
import { drainTarget } from '../engine/execute/targets.ts'
import { updateRuntime } from '../engine/execute/runtime.ts'
import type { World } from '../engine/execute/world.ts'
import { listGenerations } from '../engine/live/generations.ts'
import { openConnections } from '../engine/live/open-connections.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import { formatEndpoint } from '../engine/model/ip.ts'
import type { LiveState, RolloutRecord } from '../engine/model/live.ts'
import { hasChanges } from '../engine/model/plan.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import type { Deployment, Proxy, Target } from '../engine/model/snapshot.ts'
import { makePlan } from '../engine/plan/plan.ts'
import { planRollout, sameTargets, without } from '../engine/plan/rollout.ts'
import type { RolloutStep } from '../engine/plan/rollout.ts'
import { renderStep } from '../render/steps.ts'
import { counted } from '../render/text.ts'
import { waitForDrain } from './draining.ts'
import { locked } from './locking.ts'
import { attachmentsHere } from './planning.ts'
import { waitForHealth } from './rollout-health.ts'
import type { HealthWait } from './rollout-health.ts'

export interface RolloutOptions {
  readonly wanted: readonly Target[]
  readonly batch: number
  readonly intervalMs: number
  /** Longer than that no batch waits for connections to end; they go on all the same. */
  readonly drainMs: number
  /** `undefined`: new targets are not waited for. */
  readonly health: Omit<HealthWait, 'proxy' | 'settings'> | undefined
  readonly keep: number
  /** As generations say where they come from. */
  readonly source: string
  readonly note: (text: string) => void
}

/** Where a rollout is, and where it goes. */
export interface Rollout {
  readonly name: string
  readonly record: RolloutRecord
  /** It was interrupted, and goes on. */
  readonly resumed: boolean
  readonly steps: readonly RolloutStep[]
}

interface Serving {
  readonly live: LiveState
  readonly deployment: Deployment
  readonly proxy: Proxy
}

/** @throws LbError `input` where there is no such proxy */
export function findServing({ kernel, host, instance, paths }: World, name: string): Serving {
  const { live } = readLive(kernel, host, instance, paths)
  const deployment = live.applied ?? live.deployment
  const { proxies } = deployment.snapshot
  const proxy = proxies.find((item) => item.name === name)
  if (proxy) return { live, deployment, proxy }
  throw new LbError('input', `there is no proxy ${name} on instance ${instance}`, {
    hint: proxies.length === 0 ? 'nothing is applied' : proxies.map((item) => item.name).join(', '),
  })
}

/** What is to be done, as things are now. */
export function prepareRollout(
  world: World,
  { live, proxy }: Serving,
  { wanted, batch }: Pick<RolloutOptions, 'wanted' | 'batch'>,
): Rollout {
  const { kernel, host, paths } = world
  const digest = (targets: readonly Target[]): string => host.digest([JSON.stringify(targets)])
  const current = proxy.defaultTarget
  const to = digest(wanted)
  const known = listGenerations(kernel, host, paths, live.slot).find(({ active }) => active)?.provenance
    ?.rollout
  // Not one that has ended, unless this is it again.
  const resumed = known?.proxy === proxy.name && (known.to === to || known.to !== digest(current))
  return {
    name: proxy.name,
    record: { proxy: proxy.name, before: resumed ? known.before : current, to },
    resumed,
    steps: planRollout(current, wanted, batch),
  }
}

/**
 * Gives the generation that serves in the end.
 * @throws LbError `apply-failed` where it went back to the targets from before, `stale` where somebody else changed them
 */
export async function rollOut(world: World, rollout: Rollout, options: RolloutOptions): Promise<number> {
  const { name, record, steps } = rollout
  const { note, intervalMs } = options
  let { live, proxy } = findServing(world, name)
  // Of one that was killed between a swap and this.
  bringBack(world, proxy, without(record.before, proxy.defaultTarget))
  for (const [i, step] of steps.entries()) {
    if (i > 0) await sleep(intervalMs)
    note(`Batch ${i + 1} of ${steps.length}: ${describeStep(step)}`)
    requireUntouched(findServing(world, name), proxy)
    try {
      await takeStep(world, proxy, step, { record, options })
    } catch (error) {
      throw await giveUp(world, rollout, options, error)
    }
    ;({ live, proxy } = findServing(world, name))
  }
  return live.generation
}

export function describeStep({ drain, add }: RolloutStep): string {
  const names = (targets: readonly Target[]): string =>
    targets.map(({ ip, port }) => formatEndpoint(ip, port)).join(', ')
  const parts = [
    ...(drain.length > 0 ? [`${names(drain)} out`] : []),
    ...(add.length > 0 ? [`${names(add)} in`] : []),
  ]
  return parts.length > 0 ? parts.join(', ') : 'new weights or checks'
}

function requireUntouched({ live, proxy }: Serving, known: Proxy): void {
  if (sameTargets(proxy.defaultTarget, known.defaultTarget)) return
  throw new LbError(
    'stale',
    `the targets of proxy ${proxy.name} were changed by somebody else: generation ${live.generation} serves, and stays`,
    { hint: 'the same command again goes on from there' },
  )
}

async function takeStep(
  world: World,
  proxy: Proxy,
  step: RolloutStep,
  { record, options }: { record: RolloutRecord; options: RolloutOptions },
): Promise<void> {
  const { settings } = findServing(world, proxy.name).deployment.snapshot
  await drainAll(world, proxy, step.drain, options)
  await swap(world, proxy.name, step.list, { ...options, rollout: record })
  // They get nothing any more; and where somebody goes back to them, they are to get something.
  bringBack(world, proxy, step.drain)
  if (options.health) await waitForHealth(world, step.add, { ...options.health, proxy, settings })
}

const keyOf = ({ name, listen }: Proxy, { ip, port }: Target) => ({
  proxy: name,
  ip,
  port,
  protocol: listen.protocol,
})

async function drainAll(
  world: World,
  proxy: Proxy,
  targets: readonly Target[],
  { drainMs, note }: RolloutOptions,
): Promise<void> {
  const { deployment } = findServing(world, proxy.name)
  const openOf = openConnections(world.kernel, world.paths, deployment.snapshot)
  const keys = targets.map((target) => keyOf(proxy, target))
  for (const key of keys) {
    drainTarget(world, deployment, key, { timeoutMs: drainMs, connections: openOf(key), force: true })
  }
  const ends = await Promise.all(keys.map((key) => waitForDrain(world, { key, deployment }, () => undefined)))
  for (const [i, { drain, connections }] of ends.entries()) {
    const { ip, port } = keys[i]!
    const name = formatEndpoint(ip, port)
    if (drain.state === 'none')
      throw new LbError('refused', `${name} was put back into service by somebody else`)
    if (drain.state === 'timeout')
      note(
        `${name} has ${counted(connections, 'connection')} left, which ${connections === 1 ? 'goes' : 'go'} on`,
      )
  }
}

/** No drain of theirs goes on. */
function bringBack(world: World, proxy: Proxy, targets: readonly Target[]): void {
  const keys = targets.map((target) => keyOf(proxy, target))
  if (keys.length > 0) updateRuntime(world, keys, (old) => ({ ...old, drain: cancelDrain() }))
}

interface SwapOptions extends Pick<RolloutOptions, 'keep' | 'source' | 'note'> {
  readonly rollout?: RolloutRecord
  readonly force?: boolean
}

/** An apply of what serves, with other targets of one proxy. */
async function swap(
  world: World,
  name: string,
  list: readonly Target[],
  { keep, source, note, ...rest }: SwapOptions,
): Promise<void> {
  const onStep = (step: string, detail: string): void => note(renderStep(step, detail))
  const { rollout, force = false } = rest
  await locked(world, { noWait: false, note }, () => {
    // Under the lock, so it cannot be stale.
    const plan = planSwap(world, name, list, source)
    if (hasChanges(plan.plan))
      apply(world, plan, { keep, dryRun: false, onStep, force, ...(rollout && { rollout }) })
  })
}

function planSwap(world: World, name: string, list: readonly Target[], source: string): ExecutablePlan {
  const { live, deployment } = findServing(world, name)
  const proxies = deployment.snapshot.proxies.map((proxy) =>
    proxy.name === name ? { ...proxy, defaultTarget: list } : proxy,
  )
  const snapshot = { ...deployment.snapshot, proxies }
  return makePlan(
    live,
    { snapshot, attachments: attachmentsHere(world, snapshot) },
    {
      sources: [source],
      configHash: world.host.digest([JSON.stringify(snapshot)]),
      program: hex(world.kernel.objectSha256),
    },
  )
}

/** Back to the targets from before. Gives the error to end with. */
async function giveUp(
  world: World,
  { name, record }: Rollout,
  options: RolloutOptions,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof LbError)) return error
  const { note, keep, source } = options
  try {
    const { proxy } = findServing(world, name)
    bringBack(world, proxy, record.before)
    await swap(world, name, record.before, { note, keep, source: `${source}, taken back`, force: true })
    const { live } = findServing(world, name)
    return new LbError(
      'apply-failed',
      `the rollout of proxy ${name} stopped: ${error.message}; it has the targets from before, generation ${live.generation} serves`,
      { cause: error },
    )
  } catch (second) {
    if (!(second instanceof LbError)) return second
    return new LbError(
      'apply-broken',
      `the rollout of proxy ${name} stopped (${error.message}) and could not be taken back: ${second.message}`,
      { cause: error, hint: '`lb history` lists the generations, `lb rollback --to` chooses one' },
    )
  }
}
