/** Taking the writer's lock on behalf of a command. */
import { Flags } from '@oclif/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeHolder, withLock } from '../engine/execute/lock.ts'
import type { World } from '../engine/execute/world.ts'

const RETRY_MS = 100

export const noWaitFlag = Flags.boolean({
  description: 'fail with exit code 5 instead of waiting where another lb is changing the instance',
})

export function locked<T>(
  world: World,
  { noWait, note }: { noWait: boolean; note: (text: string) => void },
  work: () => T | Promise<T>,
): Promise<T> {
  return withLock(
    world,
    {
      wait: !noWait,
      onWait: (holder) => note(`waiting for ${describeHolder(holder)}, which is changing ${world.instance}`),
      pause: () => sleep(RETRY_MS),
    },
    work,
  )
}
