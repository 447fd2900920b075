/** One process on the fake host: what it has called, and the faults that tests make it meet. */
import { errno } from './fake-kernel-state.ts'
import type { FakeObject, FakeState } from './fake-kernel-state.ts'

/** What happens at a call, counted from 1: it fails, or the process is killed just before it. */
export type Fault = (call: number, label: string) => 'fail' | 'die' | undefined

export const failAt =
  (at: number): Fault =>
  (call) =>
    call === at ? 'fail' : undefined
export const failFrom =
  (at: number): Fault =>
  (call) =>
    call >= at ? 'fail' : undefined
export const dieAt =
  (at: number): Fault =>
  (call) =>
    call === at ? 'die' : undefined
/** The nth call whose label matches, from 1. */
export function failOn(pattern: RegExp, nth = 1): Fault {
  let seen = 0
  return (_, label) => (pattern.test(label) && ++seen === nth ? 'fail' : undefined)
}

/** SIGKILL: nothing that this process calls from here on happens. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

export interface Session {
  readonly state: FakeState
  /** The calls made so far. */
  readonly calls: readonly string[]
  /** Descriptors that are open. */
  readonly open: ReadonlySet<FakeObject>
  readonly dead: boolean
  /** Announces a call, which may fail or be the last. */
  call(label: string): void
  /** A descriptor: `use` gives what it refers to, while it is open. */
  descriptor<T extends FakeObject>(object: T): { use: () => T; close: () => void }
  onDeath(action: () => void): void
}

export function makeSession(state: FakeState, fault: Fault): Session {
  const calls: string[] = []
  const descriptors = new Map<object, FakeObject>()
  const atDeath: (() => void)[] = []
  let dead = false
  return {
    state,
    calls,
    get open() {
      return new Set(descriptors.values())
    },
    get dead() {
      return dead
    },
    call(label) {
      if (dead) throw new Killed('this process is dead')
      calls.push(label)
      const outcome = fault(calls.length, label)
      if (outcome === 'fail') throw errno('EIO', `made to fail at call ${calls.length}: ${label}`)
      if (outcome === undefined) return
      dead = true
      descriptors.clear()
      for (const action of atDeath) action()
      throw new Killed(`killed at call ${calls.length}: ${label}`)
    },
    descriptor(object) {
      const number = {}
      descriptors.set(number, object)
      return {
        use() {
          if (!dead && !descriptors.has(number)) throw errno('EBADF', 'the descriptor is closed')
          return object
        },
        close: () => void descriptors.delete(number),
      }
    },
    onDeath: (action) => void atDeath.push(action),
  }
}
