/**
 * Looks at the kernel now and then: often which generation serves, seldom all of it. What others do to an
 * instance makes no event that could be waited for.
 */
import type { World } from '../engine/execute/world.ts'
import { folderInSlot, readActiveSlot } from '../engine/live/generations.ts'
import { SLOT_NONE } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'

export interface LooksOptions {
  readonly world: World
  readonly generationMs: number
  readonly onGeneration: (generation: number) => void
  /** All of the kernel's state is to be compared; resolves when that is done. */
  readonly onCompare: () => Promise<void>
  readonly compareMs: number
}

/** Comparing takes no more than this part of the time: of results of checks, so many have to wait for it. */
const COMPARE_SHARE = 0.005

export function lookAtKernel(options: LooksOptions): Disposable {
  const { world, onGeneration, onCompare, compareMs } = options
  const often = setInterval(() => {
    const generation = servingGeneration(world)
    if (generation !== undefined) onGeneration(generation)
  }, options.generationMs)
  let seldom: NodeJS.Timeout | undefined
  let closed = false
  const next = (ms: number): void => {
    seldom = setTimeout(() => void compare(), ms)
  }
  const compare = async (): Promise<void> => {
    const began = performance.now()
    await onCompare()
    if (!closed) next(Math.max(compareMs, (performance.now() - began) / COMPARE_SHARE))
  }
  next(compareMs)
  return {
    [Symbol.dispose]() {
      closed = true
      clearInterval(often)
      clearTimeout(seldom)
    },
  }
}

/** 0: none. `undefined` where that cannot be told, as between two steps of an apply. */
export function servingGeneration({ kernel, paths }: World): number | undefined {
  try {
    const slot = readActiveSlot(kernel, paths, SLOT_NONE)
    if (slot === undefined) return 0
    return folderInSlot(kernel, paths, slot)?.number
  } catch (error) {
    if (error instanceof LbError) return undefined
    throw error
  }
}
