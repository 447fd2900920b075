/** `lb watch` put together: the daemon, its log and its service manager. */
import { runDaemon } from '../daemon/daemon.ts'
import type { DaemonOptions } from '../daemon/daemon.ts'
import { makeLog } from '../daemon/log.ts'
import type { LogLevel } from '../daemon/log.ts'
import { renderLogLine } from '../render/log-line.ts'
import { makePalette } from '../render/palette.ts'
import { useColour } from './base.ts'
import { openProber, openWorld } from './context.ts'
import { serviceManager } from './manager.ts'
import { openResolver } from './resolving.ts'
import { runDir } from './run-dir.ts'
import { daemonWorld } from './watch-plans.ts'

export interface WatchOptions extends Omit<DaemonOptions, 'runDir' | 'manager'> {
  readonly instance: string
  readonly logLevel: LogLevel
  readonly allowUnresolved: boolean
}

/** Runs until a signal ends it. */
export async function runWatch({
  instance,
  logLevel,
  allowUnresolved,
  ...options
}: WatchOptions): Promise<void> {
  const world = await openWorld(instance)
  const palette = makePalette(useColour(process.stdout))
  const log = makeLog({
    level: logLevel,
    instance,
    render: process.stdout.isTTY ? (line) => renderLogLine(line, palette) : undefined,
  })
  try {
    const parts = { ...options, runDir: runDir(), manager: serviceManager() }
    const resolver = await openResolver()
    const prober = await openProber()
    const { paths } = options
    await runDaemon(parts, daemonWorld({ world, paths, resolver, prober, allowUnresolved }), log)
  } finally {
    log.flush()
  }
}
