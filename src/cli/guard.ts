/**
 * The guard of a generation that is to be confirmed: a process of its own, in a session of its own, which outlives
 * the command and the terminal that started it.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { goBackIfDue } from '../engine/execute/confirm.ts'
import { withLock } from '../engine/execute/lock.ts'
import type { World } from '../engine/execute/world.ts'
import { readConfirmation } from '../engine/live/confirmation.ts'
import type { Confirmation } from '../engine/model/confirmation.ts'
import { LbError } from '../engine/model/errors.ts'
import { packageRoot } from './context.ts'

/** @throws LbError `host` where no process can be started */
export function startGuard({ instance }: World, { generation, deadline }: Confirmation): void {
  const args = ['guard', '--instance', instance, '--generation', `${generation}`, '--deadline', `${deadline}`]
  const child = spawn(process.execPath, [join(packageRoot(), 'bin/run.js'), ...args], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
  })
  child.on('error', () => undefined)
  if (child.pid === undefined) throw new LbError('host', 'cannot start the process that would go back')
  child.unref()
}

const LOOK_MS = 500
const LOCK_RETRY_MS = 50
const RETRY_MS = 2000

/** Ends when the confirmation is settled, by whomever. */
export async function standGuard(
  world: World,
  { generation, deadline }: Pick<Confirmation, 'generation' | 'deadline'>,
): Promise<void> {
  const isPending = (): boolean => {
    const found = readConfirmation(world.kernel, world.paths)
    return found?.generation === generation && found.deadline === deadline
  }
  while (isPending()) {
    const left = deadline - world.host.monotonicMs()
    await (left > 0 ? sleep(Math.min(left, LOOK_MS)) : goBack(world))
  }
}

/** Whatever stands in the way may pass. */
async function goBack(world: World): Promise<void> {
  const options = { wait: true, onWait: () => undefined, pause: () => sleep(LOCK_RETRY_MS) }
  try {
    await withLock(world, options, () => goBackIfDue(world, world.host.monotonicMs(), () => undefined))
  } catch (error) {
    if (!(error instanceof LbError)) throw error
    await sleep(RETRY_MS)
  }
}
