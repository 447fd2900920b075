import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { build } from 'esbuild'
import { testNames } from '../../support/lab/names.ts'
import { end, root } from '../../support/lab/run.ts'

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

export interface Answer {
  readonly error?: string
  /** Interface numbers by name. */
  readonly devices?: Readonly<Record<string, number>>
  readonly ran?: readonly Ran[]
}

export interface Runner {
  readonly devices: Readonly<Record<string, number>>
  /** Runs a pinned program on frames, one after another. */
  run(request: Extract<Request, { frames: unknown }>): Promise<readonly Ran[]>
  close(): Promise<void>
}

/**
 * Starts a process that runs programs in a namespace. The first one attaches `xdp_drop` of `idleObject`
 * to the interfaces there, without which XDP cannot be run on them.
 */
export async function startRunner(namespace: string, idleObject?: string): Promise<Runner> {
  // Inside the repository: the addon is found by the package.json above the file that loads it.
  const folder = join(root, 'node_modules/.cache/lb-test')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${testNames().instance}.mjs`)
  const entryPoints = [join(import.meta.dirname, 'runner-main.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' })
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, outfile], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  const close = async (): Promise<void> => {
    await end(child)
    rmSync(outfile, { force: true })
  }
  try {
    const { devices } = await ask(child, { prepare: idleObject ?? '' })
    return {
      devices: devices!,
      run: async (request) => (await ask(child, request)).ran!,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function ask(child: ChildProcess, request: Request): Promise<Answer> {
  const gone = new AbortController()
  const died = once(child, 'exit', { signal: gone.signal }).then(([status]) => {
    throw new Error(`the runner ended with ${String(status)}`)
  })
  died.catch(() => undefined)
  try {
    const answered = once(child, 'message', { signal: gone.signal }) as Promise<[Answer]>
    answered.catch(() => undefined)
    child.send(request)
    const [answer] = await Promise.race([answered, died])
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  } finally {
    gone.abort()
  }
}
