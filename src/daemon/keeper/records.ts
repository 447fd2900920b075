/**
 * What is known of targets, as the kernel's map has it, and changes of it. The map is the truth: it is read
 * again and again, as commands write to it too. Changes that come together are written together.
 */
import { targetId } from '../../engine/abi/runtime.ts'
import type { Runtimes } from '../../engine/abi/runtime.ts'
import { updateRuntime } from '../../engine/execute/runtime.ts'
import type { RuntimeUpdate } from '../../engine/execute/runtime.ts'
import type { World } from '../../engine/execute/world.ts'
import { readRuntimes } from '../../engine/live/runtime.ts'
import { LbError } from '../../engine/model/errors.ts'
import { FRESH_RUNTIME } from '../../engine/model/runtime.ts'
import type { TargetKey, TargetRuntime } from '../../engine/model/runtime.ts'
import type { Log } from '../log.ts'

/** Gives the same object where there is nothing to change. */
export type Change = (old: TargetRuntime) => TargetRuntime

export interface Records extends Disposable {
  readonly get: (id: string) => TargetRuntime
  readonly all: () => Runtimes
  /** Written before the event loop goes on to anything else. */
  readonly change: (key: TargetKey, change: Change) => void
  readonly read: () => void
}

export interface RecordsOptions {
  readonly world: World
  readonly log: Log
  readonly onUpdates: (updates: readonly RuntimeUpdate[]) => void
}

export function keepRecords({ world, log, onUpdates }: RecordsOptions): Records {
  let known: Runtimes = new Map()
  let queued = new Map<string, { readonly key: TargetKey; readonly changes: Change[] }>()
  let flushing: NodeJS.Immediate | undefined
  let failure = ''

  const attempt = (work: () => void): void => {
    try {
      work()
      failure = ''
    } catch (error) {
      if (!(error instanceof LbError)) throw error
      // Said once: it is tried again with the next result.
      if (error.message !== failure)
        log.warn('runtime', `cannot write what is known of targets: ${error.message}`)
      failure = error.message
    }
  }
  const flush = (): void => {
    flushing = undefined
    const work = queued
    queued = new Map()
    attempt(() => {
      const keys = [...work.values()].map(({ key }) => key)
      const updates = updateRuntime(world, keys, (old, key) =>
        (work.get(targetId(key))?.changes ?? []).reduce((now, change) => change(now), old),
      )
      const next = new Map(known)
      for (const { key, after } of updates) next.set(targetId(key), { key, runtime: after })
      known = next
      onUpdates(updates)
    })
  }
  return {
    get: (id) => known.get(id)?.runtime ?? FRESH_RUNTIME,
    all: () => known,
    change(key, change) {
      const id = targetId(key)
      const entry = queued.get(id) ?? { key, changes: [] }
      entry.changes.push(change)
      queued.set(id, entry)
      flushing ??= setImmediate(flush)
    },
    read() {
      if (flushing) {
        clearImmediate(flushing)
        flush()
      }
      attempt(() => (known = readRuntimes(world.kernel, world.paths)))
    },
    [Symbol.dispose]() {
      clearImmediate(flushing)
    },
  }
}
