/**
 * Notices that configuration files may have changed: watches on folders, and a slow look at sizes and
 * times beside them, for what watches miss (network file systems, their limit, folders that come back).
 * Whether anything really changed is told by content, elsewhere.
 */
import { readdirSync, statSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Log } from './log.ts'
import { quietly, watchPlaces } from './places.ts'
import type { Places } from './places.ts'

export interface FilesOptions {
  readonly paths: readonly string[]
  readonly pollMs: number
  readonly onTouch: () => void
  readonly log: Log
}

interface Watched {
  readonly watcher: FSWatcher
  /** Of the folder when the watch began: another one may take its place. */
  readonly identity: string
  names: ReadonlySet<string> | 'all'
}

export function watchFiles({ paths, pollMs, onTouch, log }: FilesOptions): Disposable {
  const whole = paths.map((path) => resolve(path))
  const watched = new Map<string, Watched>()
  let signature = signatureOf(whole)
  let warned = false

  const touch = (): void => {
    sync()
    onTouch()
  }
  const open = (folder: string, names: Watched['names']): void => {
    const identity = identityOf(folder)
    if (identity === undefined) return
    try {
      const watcher = watch(folder, { persistent: false })
      const entry: Watched = { watcher, identity, names }
      watcher.on('change', (_, name: string) => {
        if (entry.names === 'all' || entry.names.has(name)) touch()
      })
      watcher.on('error', () => close(folder))
      watched.set(folder, entry)
    } catch (error) {
      if (!warned)
        log.warn('watch', `cannot watch ${folder}, looks every ${pollMs} ms instead`, {
          error: String(error),
        })
      warned = true
    }
  }
  const close = (folder: string): void => {
    watched.get(folder)?.watcher.close()
    watched.delete(folder)
  }
  /** Watches what is to be watched now, and no more. */
  const sync = (): void => {
    const places: Places = watchPlaces(whole)
    for (const [folder, { identity }] of [...watched]) {
      if (!places.has(folder) || identityOf(folder) !== identity) close(folder)
    }
    for (const [folder, names] of places) {
      const known = watched.get(folder)
      if (known) known.names = names
      else open(folder, names)
    }
  }
  const look = (): void => {
    sync()
    const now = signatureOf(whole)
    if (now === signature) return
    signature = now
    onTouch()
  }
  sync()
  const timer = setInterval(look, pollMs)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      for (const folder of [...watched.keys()]) close(folder)
    },
  }
}

function identityOf(folder: string): string | undefined {
  const info = quietly(() => statSync(folder))
  return info && `${info.dev}:${info.ino}`
}

/** Changes with any file: cheap, and not read. */
function signatureOf(paths: readonly string[]): string {
  return paths
    .map((path) => [path, ...namesIn(path).map((name) => join(path, name))].map(stamp).join())
    .join()
}

function namesIn(path: string): string[] {
  return quietly(() => (statSync(path).isDirectory() ? readdirSync(path).sort() : [])) ?? []
}

function stamp(path: string): string {
  const info = quietly(() => statSync(path, { bigint: true }))
  return info ? `${path} ${info.dev} ${info.ino} ${info.size} ${info.mtimeNs} ${info.mode}` : `${path} -`
}
