import { startChild } from '../../support/child.ts'

export interface Frame {
  readonly data: Uint8Array
  /** The interface that it comes in by, or leaves by. */
  readonly device: string
  /** Of a frame that stands for several segments. */
  readonly gsoSize?: number
  readonly gsoSegments?: number
}

export interface Ran {
  readonly retval: number
  readonly data: Uint8Array
  /** The rows of `reasons` that went up; each once for every one. */
  readonly counted: readonly number[]
}

export type Request =
  /** The path of the object to attach from; empty: attach nothing. */
  | { readonly prepare: string }
  | {
      readonly program: string
      /** The pinned counters of reasons; without, nothing is said about them. */
      readonly reasons?: string
      readonly frames: readonly Frame[]
      /** Runs each frame so often in one call; default 1. */
      readonly repeat?: number
    }

export type RunRequest = Extract<Request, { frames: unknown }>

export interface Answer {
  /** Interface numbers by name. */
  readonly devices?: Readonly<Record<string, number>>
  readonly ran?: readonly Ran[]
}

export interface Runner {
  readonly devices: Readonly<Record<string, number>>
  /** Runs a pinned program on frames, one after another. */
  run(request: RunRequest): Promise<readonly Ran[]>
  close(): Promise<void>
}

/**
 * Starts a process that runs programs in a namespace. The first one attaches `xdp_drop` of `idleObject`
 * to the interfaces there, without which XDP cannot be run on them.
 */
export async function startRunner(namespace: string, idleObject?: string): Promise<Runner> {
  const child = startChild<Request, Answer>(namespace, 'test/datapath/support/runner-main.ts')
  try {
    const { devices } = await child.ask({ prepare: idleObject ?? '' })
    return {
      devices: devices!,
      run: async (request) => (await child.ask(request)).ran!,
      close: () => child.close(),
    }
  } catch (error) {
    await child.close()
    throw error
  }
}
