/** Configurations in which names stand for some addresses. */
import type { Family, Target } from '../../../src/engine/model/snapshot.ts'

/** Addresses of each name, which nothing else has. */
const NAMES: Readonly<Record<string, Readonly<Record<Family, readonly string[]>>>> = {
  'one.test': { ipv4: ['10.77.1.1'], ipv6: ['fd77:1::1'] },
  'two.test': { ipv4: ['10.77.2.1', '10.77.2.2'], ipv6: ['fd77:2::1', 'fd77:2::2'] },
  'seven.test': {
    ipv4: [1, 2, 3, 4, 5, 6, 7].map((host) => `10.77.7.${host}`),
    ipv6: [1, 2, 3, 4, 5, 6, 7].map((host) => `fd77:7::${host}`),
  },
}
const CLIENTS = { name: 'clients.test', ipv4: ['198.51.100.77'], ipv6: ['2001:db8:77::1'] } as const

/** Arguments for dnsmasq. */
export const RECORDS: readonly string[] = [
  ...Object.entries(NAMES),
  [CLIENTS.name, CLIENTS] as const,
].flatMap(([name, { ipv4, ipv6 }]) => [...ipv4, ...ipv6].map((address) => `--host-record=${name},${address}`))

/** A target as a configuration has it. */
export type WrittenTarget = Readonly<Record<string, unknown>>

/** Where `dice` says so, targets by name; each name once in a list. 0 says no. */
export function namedTargets(targets: readonly Target[], dice: () => number): WrittenTarget[] {
  const names = Object.keys(NAMES)
  return targets.map(({ ip, ...target }) => {
    const number = dice()
    if (number % 5 !== 4 || names.length === 0) return { ip, ...target }
    const [host] = names.splice(number % names.length, 1)
    return { host, ...target, ...(number % 2 === 0 && { dnsRefreshSeconds: 1 + (number % 3600) }) }
  })
}

/** Where `dice` says so, the first route is for clients by name. */
export function namedRoutes<T extends { readonly source: string }>(
  routes: readonly T[],
  dice: () => number,
): T[] {
  return routes.map((route, i) => (i === 0 && dice() % 4 === 3 ? { ...route, source: CLIENTS.name } : route))
}
