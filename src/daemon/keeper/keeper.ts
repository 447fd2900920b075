/**
 * Keeps what is known of the targets of the generation that serves: checks them, reads the data plane's
 * counters, and writes what follows to the kernel. It holds no truth: killed and started again, it goes on from
 * the kernel's map.
 */
import { activeGeneration } from '../../engine/execute/active.ts'
import type { World } from '../../engine/execute/world.ts'
import { observeConnections } from '../../engine/drain/drain.ts'
import { readBackendCounters } from '../../engine/live/counters.ts'
import { countedBetween } from '../../engine/live/deltas.ts'
import { loadFactors } from '../../engine/load/load.ts'
import { activeConnections, NO_COUNTERS } from '../../engine/model/counters.ts'
import type { CounterSnapshot } from '../../engine/model/counters.ts'
import { LbError } from '../../engine/model/errors.ts'
import type { ProbeResult } from '../../engine/model/probe.ts'
import { LOAD_ONE } from '../../engine/model/runtime.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { Deployment } from '../../engine/model/snapshot.ts'
import type { ProbePort } from '../../engine/ports/probe.ts'
import { targetId } from '../../engine/abi/runtime.ts'
import type { Log } from '../log.ts'
import { makeBreakers } from './breakers.ts'
import { makeChecker } from './health.ts'
import type { HealthStatus } from '../../engine/model/status.ts'
import { inventoryOf, NOTHING } from './inventory.ts'
import type { Inventory } from './inventory.ts'
import { keepRecords } from './records.ts'
import { sayUpdates } from './said.ts'

export interface Keeper extends Disposable {
  /** Another generation may serve. */
  readonly refresh: () => void
  /** Others may have changed what is known of targets: it is read again at once. */
  readonly reread: () => void
  readonly inventory: () => Inventory
  readonly lastCheck: (id: string) => HealthStatus['last'] | undefined
  readonly errorRate: (id: string) => number
}

export interface KeeperOptions {
  readonly world: World
  readonly prober: ProbePort
  readonly log: Log
  readonly onProbe: (key: TargetKey, result: ProbeResult) => void
}

/** How often counters and the map are read, at the least. */
const BEAT_MS = 1000

export function makeKeeper({ world, prober, log, onProbe }: KeeperOptions): Keeper {
  let inventory = NOTHING
  let deployment: Deployment | undefined
  let counters: CounterSnapshot | undefined
  let timer: NodeJS.Timeout | undefined
  let drainsAt = 0
  const breakerCauses = new Map<string, string>()

  const records = keepRecords({
    world,
    log,
    onUpdates: (updates) =>
      sayUpdates(log, updates, {
        error: (key) => checker.last(targetId(key))?.error ?? null,
        breaker: (key) => breakerCauses.get(targetId(key)),
      }),
  })
  const breakers = makeBreakers(world.host, records, (key, { cause }) =>
    breakerCauses.set(targetId(key), cause),
  )
  const checker = makeChecker({
    host: world.host,
    prober,
    records,
    onResult(key, result) {
      breakers.probed(key, result.ok)
      onProbe(key, result)
    },
  })

  const reread = (): void => {
    records.read()
    checker.resume()
    breakers.resume()
  }
  const refresh = (): void => {
    const next = activeDeployment(world, log)
    if (next === deployment) return
    deployment = next
    inventory = next ? inventoryOf(next) : NOTHING
    reread()
    breakers.replace(inventory)
    checker.replace(inventory)
    if (inventory.settings.loadBalancing.algorithm !== 'least-connections') forgetLoads()
    clearTimeout(timer)
    beat()
  }
  /** Its shares are those of weights again. */
  const forgetLoads = (): void => {
    for (const { id, key } of inventory.targets.values()) {
      if (records.get(id).load !== LOAD_ONE) records.change(key, (old) => ({ ...old, load: LOAD_ONE }))
    }
  }
  const beat = (): void => {
    const { settings } = inventory
    const leastConnections = settings.loadBalancing.algorithm === 'least-connections'
    const { updateIntervalMs } = settings.loadBalancing
    timer = setTimeout(beat, leastConnections ? Math.min(BEAT_MS, updateIntervalMs) : BEAT_MS)
    if (inventory.targets.size === 0) return
    reread()
    const draining = [...records.all().values()].some(({ runtime }) => runtime.drain.state !== 'none')
    const passive = inventory.checked.length > 0 || settings.circuitBreaker.enabled
    if (passive || leastConnections || draining) {
      const now = readBackendCounters(world.kernel, world.paths, counters)
      const counted = countedBetween(counters, now)
      counters = now
      checker.passive(inventory, counted)
      breakers.counted(counted)
      if (leastConnections) balance(now)
      if (draining) drain(now)
    } else counters = undefined
    breakers.tick()
  }
  const connectionsOf = (now: CounterSnapshot, identity: string): number =>
    activeConnections(now.get(identity)?.counters ?? NO_COUNTERS)

  const balance = (now: CounterSnapshot): void => {
    for (const list of inventory.lists) {
      const held = list.map(({ target, weight }) => ({
        weight,
        connections: connectionsOf(now, target.identity),
        load: records.get(target.id).load,
      }))
      const factors = loadFactors(held, inventory.settings.loadBalancing.weighted)
      for (const [i, { target }] of list.entries()) {
        const load = factors[i]!
        if (load !== held[i]!.load) records.change(target.key, (old) => ({ ...old, load }))
      }
    }
  }
  const drain = (now: CounterSnapshot): void => {
    const time = world.host.monotonicMs()
    if (time < drainsAt) return
    drainsAt = time + inventory.settings.drainCheckIntervalMs
    for (const { id, key, identity } of inventory.targets.values()) {
      const { drain: before } = records.get(id)
      const connections = connectionsOf(now, identity)
      if (observeConnections(before, time, connections) === before) continue
      records.change(key, (old) => {
        const next = observeConnections(old.drain, time, connections)
        return next === old.drain ? old : { ...old, drain: next }
      })
    }
  }
  return {
    refresh,
    reread,
    inventory: () => inventory,
    lastCheck: checker.last,
    errorRate: breakers.errorRate,
    [Symbol.dispose]() {
      clearTimeout(timer)
      checker[Symbol.dispose]()
      records[Symbol.dispose]()
    },
  }
}

function activeDeployment(world: World, log: Log): Deployment | undefined {
  try {
    return activeGeneration(world)?.deployment
  } catch (error) {
    if (!(error instanceof LbError)) throw error
    log.warn('runtime', `cannot tell which targets there are: ${error.message}`)
    return undefined
  }
}
