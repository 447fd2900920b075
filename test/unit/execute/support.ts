/** Instances on a fake host, and what is done to them. */
import { apply } from '../../../src/engine/execute/apply.ts'
import type { ApplyOptions, ApplyResult } from '../../../src/engine/execute/apply.ts'
import { destroy } from '../../../src/engine/execute/destroy.ts'
import { recover } from '../../../src/engine/execute/recover.ts'
import { rollback } from '../../../src/engine/execute/rollback.ts'
import { updateRuntime } from '../../../src/engine/execute/runtime.ts'
import { makeWorld } from '../../../src/engine/execute/world.ts'
import type { World } from '../../../src/engine/execute/world.ts'
import { hex } from '../../../src/engine/abi/describe.ts'
import { readLive } from '../../../src/engine/live/read.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import { hasChanges } from '../../../src/engine/model/plan.ts'
import type { ExecutablePlan } from '../../../src/engine/model/plan.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'
import type { TargetRuntime } from '../../../src/engine/model/runtime.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Attach, Deployment, Proxy, Snapshot } from '../../../src/engine/model/snapshot.ts'
import { resolveAttachments, targetAddresses } from '../../../src/engine/plan/attachments.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import type { HostPort } from '../../../src/engine/ports/host.ts'
import { host } from '../../../src/kernel/host.ts'
import { fakeKernel } from '../../support/fake-kernel.ts'
import type { FakeKernel, FakeKernelOptions } from '../../support/fake-kernel.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'

/** The same at any time and for anyone. */
export const testHost: HostPort = {
  now: () => '2026-01-01T00:00:00Z',
  monotonicMs: () => 1000,
  clocks: () => ({ monotonic: 1000, utc: Date.UTC(2026, 0, 1) }),
  user: 'tester',
  digest: (parts) => host.digest(parts),
  deflate: (bytes) => host.deflate(bytes),
  inflate: (bytes) => host.inflate(bytes),
}

export const INSTANCE = 'test'
export const worldOf = (kernel: FakeKernel): World => makeWorld(kernel, testHost, INSTANCE)
export const quiet: ApplyOptions = { keep: 8, dryRun: false, onStep: () => undefined }

/** A process that sees the host as it is now. */
export function fresh(state: FakeState, options: FakeKernelOptions = {}): World {
  return worldOf(fakeKernel(state, options))
}

export function liveOf(state: FakeState): LiveState {
  const { kernel, host: port, instance, paths } = fresh(state)
  return readLive(kernel, port, instance, paths).live
}

/** A snapshot as it would be deployed on that host. */
export function deploy(state: FakeState, snapshot: Snapshot): Deployment {
  const routes = targetAddresses(snapshot).map((address) => state.routes[address])
  return { snapshot, attachments: resolveAttachments(snapshot, { interfaces: state.interfaces, routes }) }
}

/** A plan made by a process that nothing happens to. */
export function planFor(state: FakeState, snapshot: Snapshot, object = 1): ExecutablePlan {
  const kernel = fakeKernel(state, { object })
  return makePlan(liveOf(state), deploy(state, snapshot), {
    sources: ['lb.yaml'],
    configHash: 'hash',
    program: hex(kernel.objectSha256),
  })
}

export interface Act {
  /** Carries it out in a process that something may happen to. Gives what the command would end with. */
  (state: FakeState, options: FakeKernelOptions): { kernel: FakeKernel; outcome: unknown }
}

function attempt(kernel: FakeKernel, action: (world: World) => unknown): ReturnType<Act> {
  try {
    return { kernel, outcome: action(worldOf(kernel)) }
  } catch (outcome) {
    return { kernel, outcome }
  }
}

/** Plans and applies, like `lb apply`: a plan without changes is not carried out. */
export const applying =
  (
    snapshot: Snapshot,
    { keep = 8, object = 1, cause }: { keep?: number; object?: number; cause?: 'dns' } = {},
  ): Act =>
  (state, options) => {
    const plan = planFor(state, snapshot, object)
    const kernel = fakeKernel(state, { ...options, object })
    if (hasChanges(plan.plan))
      return attempt(kernel, (world) => apply(world, plan, { ...quiet, keep, ...(cause && { cause }) }))
    return attempt(kernel, (world) => recover(world))
  }

export const rollingBack =
  (to: number): Act =>
  (state, options) => {
    const kernel = fakeKernel(state, options)
    if (liveOf(state).generation === to) return attempt(kernel, (world) => recover(world))
    return attempt(kernel, (world) => rollback(world, to, () => undefined))
  }

export const destroying: Act = (state, options) =>
  attempt(fakeKernel(state, options), (world) => destroy(world, () => undefined))

/** Does it, and throws what it ends with. */
export function must(state: FakeState, act: Act): ApplyResult {
  const { outcome } = act(state, {})
  if (outcome instanceof Error) throw outcome
  return outcome as ApplyResult
}

/** A proxy with as many targets as there are weights; `seed` makes its addresses its own. */
export function proxy(
  name: string,
  options: Partial<Proxy['listen']> & { seed?: number; weights?: number[] } = {},
): Proxy {
  const { seed = 0, weights = [50, 50], ...listen } = options
  return {
    name,
    listen: { interfaces: ['eth0'], address: null, port: 80, protocol: 'tcp', ...listen },
    forwarding: 'nat',
    defaultTarget: weights.map((weight, i) => ({ ip: `10.0.${seed}.${i + 1}`, port: 8080, weight })),
    sourceRoutes: [{ source: '192.0.2.0/24', targets: [{ ip: `10.1.${seed}.1`, port: 8080, weight: null }] }],
  }
}

export function proxy6(name: string, listen: Partial<Proxy['listen']> = {}): Proxy {
  const given = proxy(name, listen)
  const target = { ip: 'fd00::1', port: 8080, weight: null }
  return { ...given, defaultTarget: [target], sourceRoutes: [] }
}

export function snapshotOf(
  proxies: readonly Proxy[],
  attach: Readonly<Record<string, Attach>> = {},
): Snapshot {
  return {
    proxies,
    interfaces: Object.entries(attach).map(([name, way]) => ({ name, attach: way })),
    settings: DEFAULT_SETTINGS,
  }
}

/** Something becomes known of targets of what is live: of each number of `seeds`, one thing of one target. */
export function learn(state: FakeState, seeds: readonly number[]): void {
  const { proxies } = liveOf(state).deployment.snapshot
  const keys = proxies.flatMap(({ name, listen, defaultTarget, sourceRoutes }) =>
    [...defaultTarget, ...sourceRoutes.flatMap(({ targets }) => targets)].map(({ ip, port }) => {
      return { proxy: name, ip, port, protocol: listen.protocol }
    }),
  )
  for (const seed of keys.length === 0 ? [] : seeds) {
    const change = LESSONS[seed % LESSONS.length]!
    updateRuntime(fresh(state), [keys[(seed >> 3) % keys.length]!], change)
  }
}

const LESSONS: readonly ((old: TargetRuntime) => TargetRuntime)[] = [
  (old) => ({ ...old, health: { state: 'unhealthy', since: 1, recovery: 4 } }),
  (old) => ({ ...old, health: { state: 'healthy', since: 2, recovery: 1 } }),
  (old) => ({ ...old, health: { state: 'healthy', since: 3, recovery: 4 } }),
  (old) => ({ ...old, drain: { state: 'draining', since: 4, deadline: 5, initial: 6 } }),
  (old) => ({ ...old, drain: FRESH_RUNTIME.drain }),
  (old) => ({ ...old, breaker: { state: 'open', since: 7, forced: true } }),
  (old) => ({ ...old, breaker: { state: 'half-open', since: 8, forced: false } }),
  (old) => ({ ...old, load: 1 }),
]
