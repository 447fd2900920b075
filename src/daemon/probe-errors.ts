/** What went wrong with a connection, in a few words. */
import { failure, inconclusive, type Outcome } from './probe-attempt.ts'

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  HPE_HEADER_OVERFLOW: 'more than 16 KiB of headers',
}

/** For want of something on this host, which says nothing about the target. */
const OURS: Readonly<Record<string, string>> = {
  EMFILE: 'no file descriptors left in this process',
  ENFILE: 'no file descriptors left on this host',
  ENOMEM: 'no memory left on this host',
  ENOBUFS: 'no buffers left on this host',
  EADDRNOTAVAIL: 'no local port or address left on this host',
  EPERM: 'forbidden by a firewall on this host',
  EACCES: 'forbidden on this host',
}

interface SystemError {
  readonly message: string
  readonly code?: string
  readonly syscall?: string
}

/** `name`: what the certificate had to be for. */
export function outcomeOf(error: SystemError, name: string): Outcome {
  const { code = '', message } = error
  const ours = OURS[code]
  if (ours !== undefined) return inconclusive(ours)
  // Node gives an orderly end before the answer the code of a reset, which only a system call reports.
  if (code === 'ECONNRESET' && error.syscall === undefined)
    return failure('connection closed without an answer')
  const text = TEXTS[code]
  if (text !== undefined) return failure(text)
  if (code.startsWith('HPE_')) return failure('the answer is not HTTP')
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return failure(`the certificate is not for ${name}`)
  // `write EPROTO 80…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…`
  const reason = /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]
  return failure(reason === undefined ? message : `TLS: ${reason}`)
}
