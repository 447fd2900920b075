import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Outcome {
  /** The exit status; 128 + its number for a signal, as a shell has it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly timeoutMs?: number
  /** In a session of its own, out of the terminal's reach. */
  readonly detached?: boolean
}

/** The root of the repository: programs and lb itself are found from there. */
export const root = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder))
}

/** Starts a program and leaves it running. */
export function start(argv: readonly string[], stdio: StdioOptions, options: RunOptions = {}): ChildProcess {
  const [command, ...args] = argv
  if (command === undefined) throw new Error('nothing to run')
  return spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio,
    detached: options.detached ?? false,
  })
}

/** Runs a program to its end, whatever that is. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(argv, 'pipe', options)
  const timeoutMs = options.timeoutMs ?? 60_000
  const late = AbortSignal.timeout(timeoutMs)
  const kill = () => child.kill('SIGKILL')
  late.addEventListener('abort', kill)
  try {
    // A program that does not read its input may be gone before it is written.
    child.stdin?.on('error', () => undefined).end(options.input ?? '')
    const [stdout, stderr, [status, signal]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ])
    if (late.aborted) throw new Error(`${argv.join(' ')}: not done after ${timeoutMs} ms\n${stdout}${stderr}`)
    return { code: status ?? 128 + signalNumber(signal), stdout, stderr }
  } finally {
    late.removeEventListener('abort', kill)
  }
}

/** Runs a program that has to succeed; gives what it printed. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit status ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Ends a process that we started and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal]
}
