/**
 * Performs what the machine of reloads (src/engine/watch) decides: timers, reading, planning, applying.
 * One thing at a time, each apply under the writer's lock like any command's.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { apply } from '../engine/execute/apply.ts'
import { describeHolder, withLock } from '../engine/execute/lock.ts'
import { LbError } from '../engine/model/errors.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import { INITIAL, reload } from '../engine/watch/reload.ts'
import type { ReloadEvent, ReloadPolicy, ReloadState, Report, Task } from '../engine/watch/types.ts'
import { hasHostOnly } from '../engine/watch/host-only.ts'
import type { Log } from './log.ts'
import type { DaemonWorld, Failure, Loading } from './ports.ts'

export interface ReloaderOptions {
  readonly daemon: DaemonWorld
  readonly log: Log
  readonly keep: number
  readonly force: boolean
  readonly policy: () => ReloadPolicy
  readonly onReport: (report: Report, facts: ReloadFacts) => void
  /** After each event: the generation that serves may be another. */
  readonly onState: (state: ReloadState) => void
}

/** What is known of the last load and apply, beside the state of the machine. */
export interface ReloadFacts {
  readonly failure: Failure | undefined
  readonly plan: ExecutablePlan | undefined
  readonly generation: number | undefined
  readonly ms: number
}

export interface Reloader {
  readonly send: (event: ReloadEvent) => void
  readonly state: () => ReloadState
  readonly facts: () => ReloadFacts
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>
  /** Lets what is under way end, and starts nothing more. */
  readonly close: () => Promise<void>
}

const LOCK_RETRY_MS = 20

export function makeReloader(options: ReloaderOptions): Reloader {
  const { daemon, log } = options
  const { world, planner } = daemon
  let state = INITIAL
  let facts: ReloadFacts = { failure: undefined, plan: undefined, generation: undefined, ms: 0 }
  let began = performance.now()
  let closed = false
  let work: Promise<void> | undefined
  let settling: NodeJS.Timeout | undefined
  let retrying: NodeJS.Timeout | undefined
  let waiters: (() => void)[] = []

  const send = (event: ReloadEvent): void => {
    if (closed) return
    const step = reload(state, event, options.policy())
    state = step.state
    for (const task of step.tasks) perform(task)
    options.onState(state)
    if (state.phase === 'idle') for (const resolve of waiters.splice(0)) resolve()
  }

  const perform = (task: Task): void => {
    switch (task.do) {
      case 'wait':
        clearTimeout(settling)
        settling = setTimeout(() => send({ on: 'settled' }), task.ms)
        break
      case 'retry':
        clearTimeout(retrying)
        retrying = setTimeout(() => send({ on: 'asked', trigger: task.trigger }), task.ms)
        break
      case 'load':
        clearTimeout(settling)
        began = performance.now()
        run(load(task))
        break
      case 'apply':
        run(applyPlan())
        break
      case 'report':
        facts = { ...facts, ms: performance.now() - began }
        options.onReport(task.report, facts)
        break
    }
  }

  /** What throws here is a bug: it ends the process, and the service manager starts it anew. */
  const run = (job: Promise<ReloadEvent>): void => {
    work = job.then(send)
  }

  const load = async ({ from, unless }: Task & { do: 'load' }): Promise<ReloadEvent> => {
    const loading = await planner.load(from, unless)
    facts = { ...factsOf(loading, facts), ms: 0 }
    switch (loading.kind) {
      case 'same':
        return { on: 'same' }
      case 'invalid':
        return { on: 'invalid', digest: loading.digest }
      case 'unplanned':
        return { on: 'unplanned', digest: loading.digest, message: loading.failure.message }
      case 'planned':
        return plannedEvent(loading, options.force)
    }
  }

  const applyPlan = async (): Promise<ReloadEvent> => {
    const { plan } = facts
    if (!plan) throw new Error('there is no plan to apply')
    try {
      const done = await withLock(
        world,
        {
          wait: true,
          onWait: (holder) =>
            log.info('lock', `waits for ${describeHolder(holder)}, which is changing ${world.instance}`),
          pause: pauseUnlessClosed,
        },
        () =>
          apply(world, plan, {
            keep: options.keep,
            dryRun: false,
            onStep: (step, detail) => log.debug('apply', `${step}: ${detail}`, { step }),
          }),
      )
      facts = { ...facts, generation: done.generation, failure: undefined }
      return { on: 'applied', generation: done.generation }
    } catch (error) {
      if (error instanceof LbError && error.code === 'stale') return { on: 'stale' }
      const failure = daemon.describe(error)
      facts = { ...facts, failure }
      return { on: 'failed', message: failure.message }
    }
  }

  const pauseUnlessClosed = async (): Promise<void> => {
    await sleep(LOCK_RETRY_MS)
    if (closed) throw new LbError('locked', 'stopped while another process held the lock')
  }

  return {
    send,
    state: () => state,
    facts: () => facts,
    idle: () =>
      state.phase === 'idle' ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve)),
    async close() {
      closed = true
      clearTimeout(settling)
      clearTimeout(retrying)
      await work
      for (const resolve of waiters.splice(0)) resolve()
      waiters = []
    },
  }
}

function factsOf(loading: Loading, before: ReloadFacts): ReloadFacts {
  switch (loading.kind) {
    case 'same':
      return before
    case 'invalid':
    case 'unplanned':
      return { ...before, failure: loading.failure }
    case 'planned':
      return {
        ...before,
        plan: loading.plan,
        failure: loading.refused,
        generation: loading.plan.plan.live.generation,
      }
  }
}

function plannedEvent(loading: Loading & { kind: 'planned' }, force: boolean): ReloadEvent {
  const { plan } = loading.plan
  const { create, update, delete: removed } = plan.summary
  return {
    on: 'planned',
    plan: {
      digest: loading.digest,
      changes: create + update + removed,
      generation: plan.live.generation,
      key: `${plan.live.fingerprint} ${loading.plan.configHash}`,
      refused: loading.refused !== undefined && !force,
      appliedBefore: loading.appliedBefore,
      hostOnly: hasHostOnly(plan.changes),
    },
  }
}
