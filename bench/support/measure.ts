import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Readable } from 'node:stream'
import { lbEnv } from '../../test/support/lab/lab.ts'
import { root, start } from '../../test/support/lab/run.ts'

/** What a process took from its start to its end. */
export interface Usage {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMiB: number
}

export interface MeasureOptions {
  /** Words to put before everything: what they take is not counted. */
  readonly prefix?: readonly string[]
  readonly cwd: string
}

interface Raw {
  readonly wallUs: number
  readonly userUs: number
  readonly systemUs: number
  readonly peakKib: number
  readonly status: number
}

let wrapper: string | undefined

/** Runs a command that has to succeed, its output thrown away, and measures it. */
export async function measure(argv: readonly string[], options: MeasureOptions): Promise<Usage> {
  wrapper ??= compile()
  const { prefix = [], cwd } = options
  const child = start([...prefix, wrapper, ...argv], ['ignore', 'ignore', 'pipe', 'pipe'], {
    cwd,
    env: lbEnv,
  })
  const [stderr, result] = await Promise.all([
    text(child.stderr!),
    text(child.stdio[3] as Readable),
    once(child, 'close'),
  ])
  const usage = (result === '' ? { status: -1 } : JSON.parse(result)) as Raw
  if (usage.status !== 0) throw new Error(`${argv.join(' ')}: exit status ${usage.status}\n${stderr}`)
  return {
    wallMs: usage.wallUs / 1000,
    cpuMs: (usage.userUs + usage.systemUs) / 1000,
    peakMiB: usage.peakKib / 1024,
  }
}

function compile(): string {
  const folder = join(root, 'build/bench')
  mkdirSync(folder, { recursive: true })
  const program = join(folder, 'rusage')
  execFileSync('cc', ['-O2', '-o', program, join(root, 'bench/support/rusage.c')])
  return program
}
