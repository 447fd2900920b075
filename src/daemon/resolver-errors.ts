/** What c-ares says, as answers. */
import type { Answer } from '../engine/model/resolution.ts'
import type { Family } from '../engine/model/snapshot.ts'

const SERVER_FAILURES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'the DNS server answers SERVFAIL',
  EREFUSED: 'the DNS server answers REFUSED',
  ENOTIMP: 'the DNS server answers NOTIMP',
  EFORMERR: 'the DNS server answers FORMERR',
  EBADRESP: 'the DNS server answers nonsense',
  ECONNREFUSED: 'no DNS server can be reached',
}

export function noAddress(family: Family): Answer {
  const error = `the name has no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`
  return { ok: false, failure: 'no-data', error }
}

export function failureOf({ code = '', message }: NodeJS.ErrnoException, family: Family): Answer {
  switch (code) {
    case 'ENOTFOUND':
      return { ok: false, failure: 'not-found', error: 'no such name' }
    case 'ENODATA':
      return noAddress(family)
    case 'ETIMEOUT':
      return { ok: false, failure: 'timeout', error: 'no answer from a DNS server' }
    default:
      return { ok: false, failure: 'server', error: SERVER_FAILURES[code] ?? message }
  }
}
