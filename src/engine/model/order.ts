/** The canonical order of a snapshot's lists: by code units, so it never depends on a locale. */
import type { SourceRoute, Target } from './snapshot.ts'

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function compareTargets(a: Target, b: Target): number {
  return compareText(a.ip, b.ip) || a.port - b.port
}

export function compareRoutes(a: SourceRoute, b: SourceRoute): number {
  return compareText(a.source, b.source)
}

export function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return compareText(a.name, b.name)
}
