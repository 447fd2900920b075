/**
 * Which folders to watch for configuration files. Never a file itself: editors put new ones in their
 * place, and a watch stays on the old one. Symbolic links are followed one by one, so that a swap
 * anywhere on the way is seen, as Kubernetes swaps `..data`.
 */
import { lstatSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'

/** Folder → names in it that matter, or all of them. */
export type Places = ReadonlyMap<string, ReadonlySet<string> | 'all'>

/** Links of a chain that are followed, as the kernel has it. */
const MAX_LINKS = 40

/** @param paths absolute */
export function watchPlaces(paths: readonly string[]): Places {
  const places = new Map<string, Set<string> | 'all'>()
  for (const path of paths) follow(path, places, 0)
  return places
}

function follow(path: string, places: Map<string, Set<string> | 'all'>, links: number): void {
  const folder = dirname(path)
  if (path === folder) return
  if (!isFolder(folder)) {
    // It may come: then this is worked out again.
    follow(folder, places, links)
    return
  }
  add(places, folder, basename(path))
  // The folder itself may be put in another one's place.
  if (dirname(folder) !== folder) add(places, dirname(folder), basename(folder))
  const info = quietly(() => lstatSync(path))
  if (info?.isDirectory()) places.set(path, 'all')
  if (!info?.isSymbolicLink() || links >= MAX_LINKS) return
  const target = quietly(() => readlinkSync(path))
  if (target === undefined) return
  if (isFolder(path)) places.set(path, 'all')
  const whole = isAbsolute(target) ? target : join(folder, target)
  follow(whole, places, links + 1)
  // `..data/lb.yaml`: the folder on the way is a link itself.
  if (target.includes('/')) follow(dirname(whole), places, links + 1)
}

function add(places: Map<string, Set<string> | 'all'>, folder: string, name: string): void {
  const known = places.get(folder)
  if (known === 'all') return
  if (known) known.add(name)
  else places.set(folder, new Set([name]))
}

function isFolder(path: string): boolean {
  return quietly(() => statSync(path))?.isDirectory() ?? false
}

/** What cannot be looked at is not there, or cannot be read: who reads it says so. */
export function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
