/** `lb watch` put together: the daemon, its log and its service manager. */
import { runDaemon } from '../daemon/daemon.ts'
import type { DaemonOptions } from '../daemon/daemon.ts'
import { makeLog } from '../daemon/log.ts'
import type { LogLevel } from '../daemon/log.ts'
import { renderLogLine } from '../render/log-line.ts'
import { makePalette } from '../render/palette.ts'
import { useColour } from './base.ts'
import { openWorld } from './context.ts'
import { serviceManager } from './manager.ts'
import { runDir } from './run-dir.ts'
import { daemonWorld } from './watch-plans.ts'

export interface WatchOptions extends Omit<DaemonOptions, 'runDir' | 'manager'> {
  readonly instance: string
  readonly logLevel: LogLevel
}

/** Runs until a signal ends it. */
export async function runWatch({ instance, logLevel, ...options }: WatchOptions): Promise<void> {
  const world = await openWorld(instance)
  const palette = makePalette(useColour(process.stdout))
  const log = makeLog({
    level: logLevel,
    instance,
    render: process.stdout.isTTY ? (line) => renderLogLine(line, palette) : undefined,
  })
  try {
    const parts = { ...options, runDir: runDir(), manager: serviceManager() }
    await runDaemon(parts, daemonWorld(world, options.paths), log)
  } finally {
    log.flush()
  }
}
