import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DaemonStatus } from '../../../src/engine/model/status.ts'
import { lbEnv, type CliOptions } from '../../support/lab/lab.ts'
import { end } from '../../support/lab/run.ts'
import { type Lab } from '../../support/netns.ts'

/** A line of the daemon's log. */
export interface LogLine {
  readonly level: string
  readonly time: string
  readonly instance: string
  readonly event: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** Settings by which a target is known to be down, or back, after one check of a second. */
export const quickChecks = {
  healthCheckEnabled: true,
  healthCheckDefaults: {
    type: 'tcp',
    intervalMs: 1000,
    timeoutMs: 500,
    healthyThreshold: 1,
    unhealthyThreshold: 1,
  },
} as const

type Wanted = Readonly<Record<string, unknown>>

/** `lb watch`, running. Ends with its scope. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number
  readonly lines: readonly LogLine[]
  readonly errors: () => string
  /** The next line, from those not yet waited for, that has these fields. */
  line(wanted: Wanted): Promise<LogLine>
  signal(name: NodeJS.Signals): void
  /** Its exit status, once it has ended. */
  readonly ended: Promise<number | string>
  kill(): Promise<void>
}

export const runDir = (lab: Lab): string => join(lab.folder, 'run')

/** For commands that are to find the daemon. */
export const daemonEnv = (lab: Lab): Readonly<Record<string, string | undefined>> => ({
  ...lbEnv,
  LB_RUN_DIR: runDir(lab),
})

/** Starts the daemon; with its first reload behind it unless `ready` is false. */
export async function watch(
  lab: Lab,
  args: readonly string[] = [],
  options: CliOptions & { readonly ready?: boolean } = {},
): Promise<Daemon> {
  const { wrap = [], env, ready = true, cwd = lab.folder } = options
  const child = lab.lb.spawn([...wrap, ...lab.lbCommand(['watch', ...args])], {
    cwd,
    env: { ...daemonEnv(lab), ...env },
  })
  const daemon = follow(child)
  if (ready) await daemon.line({ event: 'ready' })
  return daemon
}

const PATIENCE_MS = 20_000

function follow(child: ChildProcess): Daemon {
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  let errors = ''
  let read = 0
  let over: number | string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  createInterface({ input: child.stdout! }).on('line', (text) => {
    lines.push(JSON.parse(text) as LogLine)
    for (const look of waiting) look()
  })
  const ended = (once(child, 'close') as Promise<[number | null, string | null]>).then(([code, signal]) => {
    over = code ?? signal ?? 'unknown'
    for (const look of waiting) look()
    return over
  })
  const line = (wanted: Wanted): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const story = () =>
        `${JSON.stringify(wanted)}\n${errors}${lines.map((l) => JSON.stringify(l)).join('\n')}`
      const late = setTimeout(() => finish(() => reject(new Error(`no line ${story()}`))), PATIENCE_MS)
      const finish = (settle: () => void) => {
        clearTimeout(late)
        waiting.delete(look)
        settle()
      }
      const look = () => {
        const found = lines.findIndex((one, i) => i >= read && has(one, wanted))
        if (found !== -1) {
          read = found + 1
          finish(() => resolve(lines[found]!))
        } else if (over !== undefined)
          finish(() => reject(new Error(`ended with ${over}, no line ${story()}`)))
      }
      waiting.add(look)
      look()
    })
  return {
    pid: child.pid!,
    lines,
    errors: () => errors,
    line,
    signal: (name) => child.kill(name),
    ended,
    async kill() {
      await end(child)
      await ended
    },
    async [Symbol.asyncDispose]() {
      await end(child)
      await ended
    },
  }
}

function has(line: LogLine, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([key, value]) =>
    value instanceof RegExp ? value.test(String(line[key])) : line[key] === value,
  )
}

/** Asks a daemon over its socket. */
export async function ask(
  lab: Lab,
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; body: unknown }> {
  const asked = request({
    socketPath: join(runDir(lab), `${lab.instance}.sock`),
    method,
    path,
    headers: body === undefined ? {} : { 'content-length': Buffer.byteLength(body) },
  })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown }
}

export async function daemonStatus(lab: Lab): Promise<DaemonStatus> {
  return (await ask(lab, 'GET', '/v1/daemon')).body as DaemonStatus
}
