import { chmodSync, chownSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LbError } from '../../engine/model/errors.ts'
import { LIMITS } from './protocol.ts'

/** An answer: a status and a JSON document. */
export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** What is asked for, by `GET /v1/status` and the like. @param body parsed JSON, `undefined` where there is none */
export type Handler = (body: unknown) => Reply | Promise<Reply>
export type Routes = Readonly<Record<string, Handler>>

export interface ControlServer {
  /** Ends after the answers under way. */
  close(): Promise<void>
}

/** Listens on a Unix socket for its owner and group. The caller holds the daemon's lock: what is there is stale. */
export async function serveControl(path: string, routes: Routes): Promise<ControlServer> {
  rmSync(path, { force: true })
  const server = createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.requestMs,
      requestTimeout: LIMITS.requestMs,
      connectionsCheckingInterval: 1000,
      keepAlive: false,
    },
    (request, response) => void answer(routes, request, response),
  )
  server.maxConnections = LIMITS.connections
  server.timeout = LIMITS.requestMs
  await listen(server, path)
  chmodSync(path, 0o660)
  giveToGroup(path)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        rmSync(path, { force: true })
      }),
  }
}

function listen(server: ReturnType<typeof createServer>, path: string): Promise<void> {
  // What a user may open before its rights are set: nothing.
  const mask = process.umask(0o177)
  return new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new LbError('host', `cannot listen on ${path}: ${cause.message}`, { cause })),
    )
    server.listen(path, resolve)
  }).finally(() => process.umask(mask))
}

/** Members of the group `lb`, where there is one, may talk to the daemon. */
function giveToGroup(path: string): void {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith('lb:'))
    const gid = line?.split(':')[2]
    if (gid !== undefined) chownSync(path, -1, Number(gid))
  } catch {
    // Not a member of it: the socket stays with our own group.
  }
}

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await reply(routes, request)
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  })
  response.end(text)
}

async function reply(routes: Routes, request: IncomingMessage): Promise<Reply> {
  const [path] = (request.url ?? '').split('?')
  const handler = routes[`${request.method ?? ''} ${path ?? ''}`]
  if (!handler) {
    const known = Object.keys(routes).some((route) => route.split(' ')[1] === path)
    return known ? refusal(405, 'not that way') : refusal(404, `nothing is at ${path ?? ''}`)
  }
  const body = await readBody(request)
  if ('refused' in body) return body.refused
  try {
    return await handler(body.value)
  } catch (error) {
    if (error instanceof LbError)
      return { status: 422, body: { formatVersion: 1, error: errorFields(error) } }
    throw error
  }
}

function errorFields({ code, message, hint }: LbError): Readonly<Record<string, string>> {
  return { code, message, ...(hint !== undefined && { hint }) }
}

export function refusal(status: number, message: string): Reply {
  return { status, body: { formatVersion: 1, error: { code: 'input', message } } }
}

async function readBody(request: IncomingMessage): Promise<{ value: unknown } | { refused: Reply }> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LIMITS.bodyBytes) return { refused: refusal(413, `more than ${LIMITS.bodyBytes} bytes`) }
      chunks.push(chunk)
    }
    return { value: size === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as unknown) }
  } catch {
    return { refused: refusal(400, 'the body is not JSON') }
  }
}
