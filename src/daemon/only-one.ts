/** One daemon for each instance: a lock in the run directory, which dies with its holder. */
import { chmodSync, mkdirSync } from 'node:fs'
import { describeHolder } from '../engine/execute/lock.ts'
import type { World } from '../engine/execute/world.ts'
import { LbError } from '../engine/model/errors.ts'
import { lockPath } from './control/protocol.ts'

/** @throws LbError `locked` where the instance has a daemon, `host` where the run directory cannot be used */
export function becomeDaemon({ kernel, instance }: World, runDir: string): Disposable {
  const folder = lockPath(runDir, instance)
  makeRunDir(runDir, folder)
  const lock = kernel.tryLock(folder)
  if (lock) return lock
  throw new LbError(
    'locked',
    `instance ${instance} has a daemon already: ${describeHolder(kernel.lockHolder(folder))}`,
    { hint: '`lb status` shows what it does; SIGHUP makes it read its files again' },
  )
}

function makeRunDir(runDir: string, folder: string): void {
  try {
    if (mkdirSync(runDir, { recursive: true }) !== undefined) chmodSync(runDir, 0o755)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new LbError('host', `cannot use the run directory ${runDir}: ${(cause as Error).message}`, {
      hint: 'a service manager makes it (RuntimeDirectory=lb); LB_RUN_DIR names another one',
      cause,
    })
  }
}
