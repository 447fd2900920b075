/** What the daemon answers. */
import type { World } from '../../engine/execute/world.ts'
import { readStatus } from '../../engine/live/look.ts'
import { statusOf } from '../../engine/live/status.ts'
import type { DaemonKnowledge } from '../../engine/live/status.ts'
import type { DaemonStatus } from '../../engine/model/status.ts'
import type { ReloadPolicy } from '../../engine/watch/types.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { Names } from '../keeper/names.ts'
import type { Reloader } from '../reloader.ts'
import type { Reports } from '../reports.ts'
import type { Routes } from './server.ts'
import { refusal } from './server.ts'

export interface ControlParts {
  readonly world: World
  readonly options: { readonly version: string; readonly approve: 'auto' | 'manual' }
  readonly reloader: Reloader
  readonly reports: Reports
  readonly keeper: Keeper
  readonly names: Names
  readonly policy: () => ReloadPolicy
}

/** A reload that is asked for is waited for so long; then its answer is how things stand. */
const RELOAD_MS = 8000

/** What the daemon adds to what the maps tell. */
export function daemonKnowledge(parts: ControlParts): DaemonKnowledge {
  const { reloader, reports, world, keeper, names } = parts
  const startedAt = new Date().toISOString()
  const status = (): DaemonStatus => ({
    formatVersion: 1,
    instance: world.instance,
    pid: process.pid,
    version: parts.options.version,
    startedAt,
    approve: parts.options.approve,
    onDrift: parts.policy().onDrift,
    files: reports.files(reloader.facts()),
    agreement: reports.agreement(reloader.facts()),
    lastReload: reports.lastReload(),
    names: names.status(),
    reloads: reports.reloads(),
  })
  return { status, lastCheck: keeper.lastCheck, errorRate: keeper.errorRate }
}

export function controlRoutes(parts: ControlParts, knowledge: DaemonKnowledge): Routes {
  const { reloader, world } = parts
  const { status } = knowledge
  /** Starts a look and waits for what comes of it. */
  const look = async (trigger: 'request' | 'kernel'): Promise<DaemonStatus> => {
    reloader.send({ on: 'asked', trigger })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, RELOAD_MS)))
    await Promise.race([reloader.idle(), late])
    clearTimeout(timer)
    return status()
  }
  return {
    'GET /v1/daemon': () => ({ status: 200, body: status() }),
    'GET /v1/status': () => ({ status: 200, body: statusOf(readStatus(world), knowledge) }),
    'GET /v1/plan': () => {
      const { plan } = reloader.facts()
      if (!plan || !('changes' in reloader.state().agreement)) return refusal(404, 'no plan waits')
      return { status: 200, body: plan.plan }
    },
    'POST /v1/reload': async () => ({ status: 200, body: await look('request') }),
    'POST /v1/compare': async () => ({ status: 200, body: await look('kernel') }),
    // For commands that have changed what is known of targets.
    'POST /v1/reread': () => {
      parts.keeper.reread()
      return { status: 200, body: { formatVersion: 1 } }
    },
  }
}
