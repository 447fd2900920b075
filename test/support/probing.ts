import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createProber } from '../../src/daemon/prober.ts'
import type { HealthCheck, HttpCheck, TlsCheck } from '../../src/engine/model/policy.ts'
import type { ProbeResult } from '../../src/engine/model/probe.ts'
import { createDialer } from '../../src/kernel/dial.ts'
import { until } from '../e2e/support/until.ts'
import { listening } from './listening.ts'

export const prober = createProber(createDialer())
const base = { port: null, intervalMs: 1000, timeoutMs: 5000, healthyThreshold: 2, unhealthyThreshold: 3 }
const HTTP: HttpCheck = {
  method: 'GET',
  path: '/health',
  host: null,
  expectedCodes: [200],
  expectedBody: null,
}
const TLS: TlsCheck = { sni: null, caFile: null, insecureSkipVerify: false }

export function tcp(timeoutMs = base.timeoutMs): HealthCheck {
  return { ...base, timeoutMs, type: 'tcp', http: null, tls: null }
}

export function http(given: Partial<HttpCheck> = {}, timeoutMs = base.timeoutMs): HealthCheck {
  return { ...base, timeoutMs, type: 'http', http: { ...HTTP, ...given }, tls: null }
}

export function https(given: Partial<TlsCheck>, httpGiven: Partial<HttpCheck> = {}): HealthCheck {
  return { ...base, type: 'https', http: { ...HTTP, ...httpGiven }, tls: { ...TLS, ...given } }
}

export function said(result: ProbeResult): string {
  return result.ok ? 'ok' : `${result.inconclusive ? 'inconclusive: ' : ''}${result.error}`
}

export async function ask(port: number, check: HealthCheck, ip = '127.0.0.1'): Promise<string> {
  return said(await prober.probe({ ip, port, check }))
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** A port that nothing listens on. */
export async function unusedPort(): Promise<number> {
  await using server = await listening(createServer())
  return server.port
}

/** Each test has to leave as many descriptors as it found. */
export async function withoutLeaks(run: () => Promise<void>): Promise<void> {
  // Servers and sockets close in later turns of the event loop.
  await nextTurn()
  const before = descriptors()
  await run()
  await until(`no more than ${before} descriptors`, () => descriptors() <= before)
}

export interface Elsewhere extends AsyncDisposable {
  readonly port: number
}

/** A program that prints the port it listens on. */
async function elsewhere(argv: readonly [string, ...string[]]): Promise<Elsewhere> {
  const [command, ...args] = argv
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    port: Number(line.toString()),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A listener whose queue is full: it answers a SYN no more than a host that is gone. */
export function fullServer(): Promise<Elsewhere> {
  const program = [
    'import socket, sys',
    's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)',
    'c = [socket.socket() for _ in range(4)]',
    'for x in c: x.setblocking(False); x.connect_ex(s.getsockname())',
    'print(s.getsockname()[1], flush=True); sys.stdin.read()',
  ].join('\n')
  return elsewhere(['python3', '-c', program])
}

/** A web server in a process of its own, for when this one is busy. */
export function answeringElsewhere(): Promise<Elsewhere> {
  const program = `
    const server = require('node:http').createServer((_, response) => response.end('ok'))
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
  return elsewhere([process.execPath, '-e', program])
}
