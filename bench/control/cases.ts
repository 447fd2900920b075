import { type Size } from './configuration.ts'

/** More proxies, each with 8 targets, and a single source route. The last has 100,000 targets. */
export const byProxies: readonly Size[] = [10, 1_000, 10_000, 12_500].map((proxies) => ({
  proxies,
  routes: 1,
}))

/** More source routes, and always 1,000 proxies. The first is in the other list too. */
export const byRoutes: readonly Size[] = [1, 1_000, 10_000, 100_000].map((routes) => ({
  proxies: 1_000,
  routes,
}))

export const allSizes: readonly Size[] = [...byProxies, ...byRoutes.slice(1)]

export const OPERATIONS = [
  'apply, first',
  'validate',
  'plan, no change',
  'plan, one change',
  'apply, one change',
  'rollback',
  'history',
  'show',
] as const
export type Operation = (typeof OPERATIONS)[number]
