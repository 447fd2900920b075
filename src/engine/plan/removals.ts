/** Targets that a change takes away from proxies, and what becomes of their connections. */
import { compareTargets } from '../model/order.ts'
import type { RemovedTarget } from '../model/removal.ts'
import type { Deployment, Proxy, Snapshot, Target } from '../model/snapshot.ts'
import { differing } from './differing.ts'

/**
 * Targets of proxies that `after` has in none of their lists, by proxy, then address. What holds is what the
 * proxy says from now on, or what it said last where it goes as a whole.
 */
export function removedTargets(before: Deployment, after: Deployment): RemovedTarget[] {
  const [changed] = differing(before, after)
  const names = new Set(changed.snapshot.proxies.map(({ name }) => name))
  const stay = new Map(after.snapshot.proxies.map((proxy) => [proxy.name, proxy]))
  return before.snapshot.proxies
    .filter(({ name }) => names.has(name))
    .flatMap((proxy) => removedFrom(proxy, stay.get(proxy.name)))
}

function removedFrom(proxy: Proxy, after: Proxy | undefined): RemovedTarget[] {
  const left = new Set(after && [...endpointsOf(after).keys()])
  const { endRemovedAfterSec: endAfterSec = null } = after ?? proxy
  const { address, port, protocol } = proxy.listen
  // One that was damaged listens nowhere.
  if (port === 0) return []
  return [...endpointsOf(proxy)]
    .filter(([endpoint]) => !left.has(endpoint))
    .map(([, target]) => target)
    .sort(compareTargets)
    .map(({ ip, port: targetPort }) => ({
      proxy: proxy.name,
      listener: { address, port, protocol },
      ip,
      port: targetPort,
      endAfterSec,
    }))
}

/** The targets of all lists, each once. */
function endpointsOf({ defaultTarget, sourceRoutes }: Proxy): Map<string, Target> {
  const lists = [defaultTarget, ...sourceRoutes.map(({ targets }) => targets)]
  return new Map(lists.flat().map((target) => [endpoint(target), target]))
}

const endpoint = ({ ip, port }: Pick<Target, 'ip' | 'port'>): string => `${ip} ${port}`

/** Whether connections of a listener to a backend are still what a configuration wants. */
export interface Wanted {
  has(of: Pick<RemovedTarget, 'listener' | 'ip' | 'port'>): boolean
  /** Addresses of listeners on the same port that want this backend for themselves, where `of` is of any address. */
  exceptions(of: Pick<RemovedTarget, 'listener' | 'ip' | 'port'>): readonly string[]
}

/**
 * A connection belongs to the listener on its address, else to that on any address, whichever proxy that is by now and
 * whatever its interfaces: a connection does not remember those.
 */
export function wantedBy({ proxies }: Snapshot): Wanted {
  const targets = new Map<Proxy, ReadonlySet<string>>()
  const wants = (proxy: Proxy, target: Pick<RemovedTarget, 'ip' | 'port'>): boolean => {
    const known = targets.get(proxy) ?? new Set(endpointsOf(proxy).keys())
    targets.set(proxy, known)
    return known.has(endpoint(target))
  }
  const beside = ({ listener, ip }: Pick<RemovedTarget, 'listener' | 'ip'>): Proxy[] =>
    proxies.filter(
      ({ listen, defaultTarget }) =>
        listen.port === listener.port &&
        listen.protocol === listener.protocol &&
        defaultTarget.some((target) => target.ip.includes(':') === ip.includes(':')),
    )
  return {
    has(of) {
      const all = beside(of)
      const exact = all.filter(({ listen }) => listen.address === of.listener.address)
      const owners = exact.length > 0 ? exact : all.filter(({ listen }) => listen.address === null)
      return owners.some((proxy) => wants(proxy, of))
    },
    exceptions(of) {
      if (of.listener.address !== null) return []
      return beside(of).flatMap((proxy) =>
        proxy.listen.address !== null && wants(proxy, of) ? [proxy.listen.address] : [],
      )
    },
  }
}
