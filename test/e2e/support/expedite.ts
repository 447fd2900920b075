import { once } from 'node:events'
import { start } from '../../support/lab/run.ts'

const file = '/sys/kernel/rcu_expedited'

/**
 * Makes the kernel hurry through its grace periods, until disposed of. Each change to a map of maps waits
 * for one: 20 an apply, 10 ms each, in which nothing happens that a test could learn from.
 */
export async function expediteGracePeriods(): Promise<AsyncDisposable> {
  // A process of its own, so that it is undone even if this one is killed.
  const script = 'was=$(cat "$0"); echo 1 > "$0"; echo ready; cat; echo "$was" > "$0"'
  const child = start(['sh', '-ec', script, file], ['pipe', 'pipe', 'inherit'])
  const [event] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])) as [unknown]
  if (!Buffer.isBuffer(event)) throw new Error(`cannot write to ${file}`)
  return {
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit')
      child.stdin?.end()
      await gone
    },
  }
}
