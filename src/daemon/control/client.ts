/** Asking the daemon of an instance. */
import { request } from 'node:http'
import { LbError } from '../../engine/model/errors.ts'
import { LIMITS } from './protocol.ts'

export interface Asked {
  readonly status: number
  readonly body: unknown
}

/** Socket errors that say that there is no daemon. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR'])

/**
 * `undefined` where no daemon listens on `socket`.
 * @throws LbError `host` where it may not be asked, or does not answer
 */
export function askDaemon(
  socket: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<Asked | undefined> {
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath: socket,
      method,
      path,
      agent: false,
      timeout: LIMITS.requestMs,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    })
    const fail = (error: NodeJS.ErrnoException): void => {
      if (ABSENT.has(error.code ?? '')) resolve(undefined)
      else reject(daemonError(socket, error))
    }
    asked.on('error', fail)
    asked.on('timeout', () => asked.destroy(new Error('it does not answer')))
    asked.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LIMITS.answerBytes) asked.destroy(new Error('its answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        try {
          const parsed = JSON.parse(Buffer.concat(chunks).toString()) as unknown
          resolve({ status: response.statusCode ?? 0, body: parsed })
        } catch {
          fail(new Error('its answer is not JSON'))
        }
      })
    })
    asked.end(text)
  })
}

function daemonError(socket: string, cause: NodeJS.ErrnoException): LbError {
  const why = cause.code === 'EACCES' ? 'no right to' : cause.message
  const hint = cause.code === 'EACCES' ? { hint: 'root may, and members of the group lb' } : {}
  return new LbError('host', `cannot ask the daemon at ${socket}: ${why}`, { cause, ...hint })
}
