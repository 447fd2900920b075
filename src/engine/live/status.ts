/** How an instance is, as its maps tell. */
import { identityOf, numberDeployment } from '../abi/numbering.ts'
import { targetId } from '../abi/runtime.ts'
import { configuredSelection, effectiveGroup, runtimeIn } from '../abi/selection.ts'
import { runtimeOfDay } from '../model/clocks.ts'
import type { Clocks } from '../model/clocks.ts'
import type { PendingConfirmation } from '../model/confirmation.ts'
import { activeConnections } from '../model/counters.ts'
import type { CounterSnapshot } from '../model/counters.ts'
import type { LiveState, Provenance } from '../model/live.ts'
import type { PendingRemoval } from '../model/removal.ts'
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey } from '../model/runtime.ts'
import type { Deployment, Proxy } from '../model/snapshot.ts'
import type {
  DaemonStatus,
  HealthStatus,
  ProxyStatus,
  StatusDocument,
  TargetStatus,
} from '../model/status.ts'
import type { Runtimes } from '../abi/runtime.ts'

/** What only a daemon knows. */
export interface DaemonKnowledge {
  readonly status: () => DaemonStatus
  readonly lastCheck: (id: string) => HealthStatus['last'] | undefined
  readonly errorRate: (id: string) => number
}

export interface StatusFacts {
  readonly live: LiveState
  readonly provenance: Provenance | undefined
  readonly runtimes: Runtimes
  readonly counters: CounterSnapshot
  readonly clocks: Clocks
  readonly confirmation: PendingConfirmation | undefined
  readonly removals: readonly PendingRemoval[]
}

export function statusOf(facts: StatusFacts, daemon: DaemonKnowledge | undefined): StatusDocument {
  const { live, provenance } = facts
  // Policies are those of the apply; a table that was changed behind it has none.
  const { snapshot, attachments } = live.deployment
  return {
    formatVersion: 1,
    instance: live.instance,
    at: new Date(facts.clocks.utc).toISOString(),
    generation:
      live.generation === 0
        ? null
        : {
            number: live.generation,
            createdAt: provenance?.createdAt ?? null,
            user: provenance?.user ?? null,
            sources: provenance?.sources ?? [],
          },
    confirmation: facts.confirmation ?? null,
    drift: live.drift.map(({ action, address, where }) => ({ action, address, where })),
    daemon: daemon?.status() ?? null,
    interfaces: attachments.map(({ name, attach, mode, roles }) => ({ name, attach, mode, roles })),
    proxies: snapshot.proxies.map((proxy, i) => proxyStatus(proxy, i, live.deployment, facts, daemon)),
    removals: facts.removals,
  }
}

function proxyStatus(
  proxy: Proxy,
  index: number,
  deployment: Deployment,
  facts: StatusFacts,
  daemon: DaemonKnowledge | undefined,
): ProxyStatus {
  const { group, routeGroups } = numberDeployment(deployment).proxies[index]!
  const targets = [
    ...listStatus(group, null, proxy.defaultTarget, deployment, facts, daemon),
    ...proxy.sourceRoutes.flatMap(({ source, targets: list }, i) =>
      listStatus(routeGroups[i]!, source, list, deployment, facts, daemon),
    ),
  ]
  const backends = new Map(targets.map(({ ip, port, connections }) => [`${ip} ${port}`, connections]))
  return {
    name: proxy.name,
    listen: proxy.listen,
    connections: [...backends.values()].reduce((sum, count) => sum + count, 0),
    targets,
  }
}

function listStatus(
  row: number,
  source: string | null,
  targets: Proxy['defaultTarget'],
  deployment: Deployment,
  { runtimes, counters, clocks }: StatusFacts,
  daemon: DaemonKnowledge | undefined,
): TargetStatus[] {
  const numbering = numberDeployment(deployment)
  const { backends } = numbering.groups[row]!
  const { selection, offsets } = configuredSelection(numbering)
  const run = selection.subarray(offsets[row], offsets[row + 1])
  const { keys, shares, entries } = effectiveGroup(deployment, row, runtimeIn(runtimes))
  const partOf = (all: ArrayLike<number>, backend: number): number =>
    percent(Array.from(all).filter((entry) => entry === backend).length, all.length)
  return targets.map(({ ip, port, weight, origin, drain }, i): TargetStatus => {
    const key = keys[i]!
    const runtime = runtimeOfDay(runtimes.get(targetId(key))?.runtime ?? FRESH_RUNTIME, clocks)
    const { factor, cause } = shares[i]!
    const counted = counters.get(identityOf(ip, port, key.protocol))
    return {
      ...{ source, ip, port, weight, cause, factor },
      host: origin?.host ?? null,
      share: partOf(run, backends[i]!),
      effectiveShare: partOf(entries, backends[i]!),
      health: healthStatus(runtime, key, daemon),
      drain: {
        state: drain && runtime.drain.state === 'none' ? 'draining' : runtime.drain.state,
        since: time(runtime.drain.since),
        deadline: time(runtime.drain.deadline),
        initial: runtime.drain.initial,
      },
      breaker: {
        state: runtime.breaker.state,
        since: time(runtime.breaker.since),
        forced: runtime.breaker.forced,
        errorRate: daemon?.errorRate(targetId(key)) ?? null,
      },
      connections: counted ? activeConnections(counted.counters) : 0,
    }
  })
}

function healthStatus(
  { health }: typeof FRESH_RUNTIME,
  key: TargetKey,
  daemon: DaemonKnowledge | undefined,
): HealthStatus {
  const { state, since, recovery } = health
  return { state, since: time(since), recovery, last: daemon?.lastCheck(targetId(key)) ?? null }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10
}

/** `null` for what never was. */
function time(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString()
}
