import { binding } from './binding.ts'
import type { InterfaceInfo, Neighbour, Route } from './types.ts'

/** Interfaces of the caller's network namespace (never read from /sys, which may show another's). */
export function interfaces(): readonly InterfaceInfo[] {
  return binding.interfaces()
}

/** How packets to `destination` leave, by RTM_GETROUTE. `undefined` where there is no route. */
export function routeGet(destination: string): Route | undefined {
  return binding.routesGet([destination])[0]
}

/** The same for many destinations, in their order, over one socket. */
export function routesGet(destinations: readonly string[]): readonly (Route | undefined)[] {
  return binding.routesGet(destinations)
}

/** The neighbour tables of both families. */
export function neighbours(): readonly Neighbour[] {
  return binding.neighbours()
}
