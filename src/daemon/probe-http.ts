/** Checks by HTTP, over TLS too: one request, no redirect followed, no more of the body read than is needed. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { SecureContext } from 'node:tls'
import { isIP } from 'node:net'
import { formatEndpoint } from '../engine/model/ip.ts'
import type { HttpCheck, TlsCheck } from '../engine/model/policy.ts'
import { failure, type Settle, SUCCESS } from './probe-attempt.ts'
import { outcomeOf } from './probe-errors.ts'

/** Of a body, this much is searched for the expected text. */
export const MAX_BODY = 64 * 1024
const MAX_HEADERS = 16 * 1024

export interface HttpTarget {
  readonly ip: string
  readonly port: number
  readonly http: HttpCheck
  readonly tls: { readonly check: TlsCheck; readonly context: SecureContext | undefined } | null
}

/** Sends the request and returns what ends it. */
export function askHttp({ ip, port, http, tls }: HttpTarget, settle: Settle): () => void {
  const host = http.host ?? formatEndpoint(ip, port)
  const name = tls ? serverName(tls.check, http.host) : ''
  const options: RequestOptions = {
    ...{ host: ip, port, method: http.method, path: http.path },
    headers: { Host: host, 'User-Agent': 'lb-health-check', Accept: '*/*', Connection: 'close' },
    ...{ agent: false, setHost: false, maxHeaderSize: MAX_HEADERS },
  }
  const request: ClientRequest = tls
    ? httpsRequest({
        ...options,
        servername: name,
        rejectUnauthorized: !tls.check.insecureSkipVerify,
        ...(tls.context && { secureContext: tls.context }),
      })
    : httpRequest(options)
  request.on('error', (error) => settle(outcomeOf(error, name || ip)))
  request.on('response', (response) => judge(response, http, settle))
  request.on('upgrade', (response: IncomingMessage) => settle(failure(`HTTP ${response.statusCode ?? 0}`)))
  request.end()
  return () => request.destroy()
}

function judge(response: IncomingMessage, http: HttpCheck, settle: Settle): void {
  const code = response.statusCode ?? 0
  if (!http.expectedCodes.includes(code)) settle(failure(`HTTP ${code}`))
  else if (http.expectedBody === null) settle(SUCCESS)
  else search(response, http.expectedBody, settle)
}

function search(response: IncomingMessage, text: string, settle: Settle): void {
  const wanted = Buffer.from(text)
  const body = Buffer.alloc(MAX_BODY)
  let length = 0
  response.on('error', () => settle(failure('connection closed within the body')))
  response.on('end', () => settle(failure('the body is without the expected text')))
  response.on('data', (chunk: Buffer) => {
    const from = Math.max(0, length - wanted.length + 1)
    length += chunk.copy(body, length)
    if (body.subarray(from, length).includes(wanted)) settle(SUCCESS)
    else if (length === MAX_BODY)
      settle(failure(`the first ${MAX_BODY / 1024} KiB of the body are without the expected text`))
  })
}

/** For SNI, which knows no addresses: then the certificate has to be for the address, and the name is empty. */
function serverName({ sni }: TlsCheck, host: string | null): string {
  const name = sni ?? (host ?? '').replace(/:\d+$/, '')
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : ''
}
