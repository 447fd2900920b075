/** What has to be so before a rollout begins. */
import { askDaemon } from '../daemon/control/client.ts'
import { socketPath } from '../daemon/control/protocol.ts'
import type { World } from '../engine/execute/world.ts'
import { LbError } from '../engine/model/errors.ts'
import type { DaemonStatus } from '../engine/model/status.ts'
import type { Deployment, Proxy, Target } from '../engine/model/snapshot.ts'
import { wayOfChecking } from './rollout-health.ts'
import type { HealthWait } from './rollout-health.ts'
import { runDir } from './run-dir.ts'

/** Whether there is one. @throws LbError `refused` where it would put back what its files say */
export async function daemonForRollout({ instance }: World): Promise<boolean> {
  const answer = await askDaemon(socketPath(runDir(), instance), 'GET', '/v1/daemon')
  if (!answer) return false
  const { onDrift } = answer.body as Partial<DaemonStatus>
  if (onDrift !== 'reconcile') return true
  throw new LbError('refused', `the daemon of instance ${instance} reconciles: it would undo each batch`, {
    hint: 'run it with --on-drift report, and put the new targets into its files when the rollout is over',
  })
}

/** @throws LbError `refused` where targets come and go by name, or nobody can tell whether the new ones work */
export function requireRollable(
  { proxy, deployment }: { readonly proxy: Proxy; readonly deployment: Deployment },
  wanted: readonly Target[],
  health: Omit<HealthWait, 'proxy' | 'settings'> | undefined,
): void {
  const named = proxy.defaultTarget.find(({ origin }) => origin !== undefined)
  if (named?.origin) {
    throw new LbError('refused', `proxy ${proxy.name} has targets by name (${named.origin.host})`, {
      hint: 'they follow their addresses by themselves; `lb apply` replaces them by addresses',
    })
  }
  if (!health) return
  const { settings } = deployment.snapshot
  const unknown = wanted.find((target) => wayOfChecking({ ...health, proxy, settings }, target) === 'none')
  if (!unknown) return
  throw new LbError('refused', `nobody can tell whether ${unknown.ip} works: UDP, and no health check`, {
    hint: 'configure a health check for it, or add --no-wait-health',
  })
}
