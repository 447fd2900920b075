/** The addresses that names had when a snapshot was made. */
import { compareText } from '../model/order.ts'
import type { HostAddresses } from '../model/resolution.ts'
import type { Snapshot } from '../model/snapshot.ts'

export function knownAddresses({ proxies }: Snapshot): HostAddresses {
  const hosts = new Map<string, Set<string>>()
  const add = (host: string | undefined, ip: string): void => {
    if (host === undefined) return
    const known = hosts.get(host)
    if (known) known.add(ip)
    else hosts.set(host, new Set([ip]))
  }
  for (const { defaultTarget, sourceRoutes } of proxies) {
    for (const { origin, ip } of defaultTarget) add(origin?.host, ip)
    for (const { source, origin, targets } of sourceRoutes) {
      add(origin, source.split('/')[0] ?? '')
      for (const target of targets) add(target.origin?.host, target.ip)
    }
  }
  return new Map([...hosts].map(([host, addresses]) => [host, [...addresses].sort(compareText)]))
}
