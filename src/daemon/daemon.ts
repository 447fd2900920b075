/** `lb watch`: what it is made of, how it begins and how it ends. */
import { resolve } from 'node:path'
import { destroy } from '../engine/execute/destroy.ts'
import { withLock } from '../engine/execute/lock.ts'
import type { ReloadPolicy } from '../engine/watch/types.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepConfirmations } from './confirmations.ts'
import { readStatus } from '../engine/live/look.ts'
import { statusOf } from '../engine/live/status.ts'
import { controlRoutes, daemonKnowledge } from './control/routes.ts'
import { socketPath } from './control/protocol.ts'
import { serveControl } from './control/server.ts'
import { watchFiles } from './files.ts'
import { makeKeeper } from './keeper/keeper.ts'
import { makeNames } from './keeper/names.ts'
import { servingGeneration, lookAtKernel } from './looks.ts'
import type { Log } from './log.ts'
import { makeManager } from './manager.ts'
import type { ManagerOptions } from './manager.ts'
import { makeExporter } from './metrics/exporter.ts'
import { becomeDaemon } from './only-one.ts'
import type { DaemonWorld } from './ports.ts'
import { makeReloader } from './reloader.ts'
import { makeRenamer } from './renamer.ts'
import { makeReports } from './reports.ts'
import { untilStopped } from './signals.ts'

export interface DaemonOptions {
  readonly paths: readonly string[]
  readonly approve: 'auto' | 'manual'
  /** `undefined`: as the configuration says. */
  readonly onDrift: 'report' | 'reconcile' | undefined
  readonly keep: number
  readonly force: boolean
  readonly detachOnExit: boolean
  readonly runDir: string
  readonly version: string
  readonly manager: ManagerOptions
}

/** How patient the daemon is, in ms. */
const TIMES = {
  debounceMs: 100,
  maxDelayMs: 1000,
  retryMs: 1000,
  maxRetryMs: 30_000,
  pollMs: 2000,
  generationMs: 250,
  compareMs: 10_000,
}

/** Runs until a signal ends it. @throws LbError where it cannot begin: `locked`, `host` */
export async function runDaemon(options: DaemonOptions, daemon: DaemonWorld, log: Log): Promise<void> {
  const { world } = daemon
  using _lock = becomeDaemon(world, options.runDir)
  using manager = makeManager(options.manager)
  const reports = makeReports(log, options)
  using keeper = makeKeeper({
    world,
    prober: daemon.prober,
    log,
    onProbe: (key, result) => exporter.probed(key, result),
  })
  using names = makeNames({ resolver: daemon.resolver, log, onAnswers: () => renamer.check() })
  const renamer = makeRenamer({
    daemon,
    log,
    keep: options.keep,
    addresses: () => names.addresses(),
    inSync: () => reloader.state().agreement.state === 'in-sync',
    onApplied: (generation) => reloader.send({ on: 'own', generation }),
  })
  /** What serves may be something else. */
  const refresh = (): void => {
    keeper.refresh()
    exporter.configure(keeper.inventory().settings.metrics)
    const { hosts, known } = daemon.planner.names()
    names.replace(hosts, known)
  }
  let kept: number | undefined
  const policy = (): ReloadPolicy => ({
    ...TIMES,
    approve: options.approve,
    onDrift: options.onDrift ?? reloader.facts().plan?.desired.snapshot.settings.onDrift ?? 'report',
  })
  const reloader = makeReloader({
    daemon,
    log,
    keep: options.keep,
    force: options.force,
    policy,
    onReport: reports.report,
    onState(state) {
      reports.state(state)
      if (state.generation === kept) return
      kept = state.generation
      refresh()
    },
  })
  using signals = untilStopped(() => {
    manager.reloading()
    reloader.send({ on: 'asked', trigger: 'signal' })
    void reloader.idle().then(() => manager.ready(reports.summary()))
  })
  const parts = { world, options, reloader, reports, keeper, names, policy }
  const knowledge = daemonKnowledge(parts)
  using exporter = makeExporter(log, () => {
    const facts = readStatus(world)
    const { algorithm } = keeper.inventory().settings.loadBalancing
    return { status: statusOf(facts, knowledge), counters: facts.counters, algorithm }
  })
  const control = await serveControl(
    socketPath(options.runDir, world.instance),
    controlRoutes(parts, knowledge),
  )
  try {
    log.info('start', `watches ${options.paths.join(', ')} for instance ${world.instance}`, {
      pid: process.pid,
      version: options.version,
      paths: options.paths.map((path) => resolve(path)),
      generation: servingGeneration(world),
      approve: options.approve,
    })
    refresh()
    reloader.send({ on: 'asked', trigger: 'start' })
    using _files = watchFiles({
      paths: options.paths,
      pollMs: TIMES.pollMs,
      log,
      onTouch: () => reloader.send({ on: 'touched', at: performance.now() }),
    })
    using _confirmations = keepConfirmations(world, log)
    using _looks = lookAtKernel({
      world,
      generationMs: TIMES.generationMs,
      compareMs: TIMES.compareMs,
      onGeneration: (generation) => reloader.send({ on: 'seen', generation }),
      onCompare: async () => {
        reloader.send({ on: 'asked', trigger: 'kernel' })
        await reloader.idle()
        // Where an instance is made anew, its generations begin anew.
        refresh()
      },
    })
    await Promise.race([reloader.idle(), signals.stopped])
    manager.ready(reports.summary())
    log.info('ready', reports.summary())

    const signal = await signals.stopped
    manager.stopping()
    log.info('stop', `${signal}: stops; the data plane ${options.detachOnExit ? 'goes too' : 'stays'}`, {
      signal,
    })
  } finally {
    await control.close()
    await renamer.close()
    await reloader.close()
  }
  if (options.detachOnExit) await detach(daemon, log)
  log.info('stopped', 'has stopped')
}

async function detach({ world }: DaemonWorld, log: Log): Promise<void> {
  const options = { wait: true, onWait: () => undefined, pause: () => sleep(20) }
  await withLock(world, options, () => destroy(world, (step, detail) => log.info('detach', detail, { step })))
}
