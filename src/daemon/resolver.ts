/**
 * Names by this host's own files and by DNS.
 *
 * /etc/hosts goes first and then DNS, with the servers and the search list of /etc/resolv.conf, so that a name means
 * what `getent ahosts` says on most hosts. getaddrinfo itself is not used: it tells no TTL, cannot be given a
 * deadline or ended, and blocks one of the four threads that Node has for it and for files. What else nsswitch.conf
 * may name (mDNS, LDAP, …) is not asked.
 *
 * All files are read for each question, and each question has a resolver of its own: what has been changed
 * counts at once, nothing is cached beyond its TTL, and ending one question ends no other.
 */
import { Resolver, type RecordWithTtl } from 'node:dns'
import { setMaxListeners } from 'node:events'
import { readFile } from 'node:fs/promises'
import { candidates, localAddresses, parseHosts, parseResolvConf } from '../engine/dns/host-files.ts'
import { familyOf } from '../engine/model/ip.ts'
import type { Answer, NameQuery } from '../engine/model/resolution.ts'
import type { ResolverPort } from '../engine/ports/resolver.ts'
import { failureOf, noAddress } from './resolver-errors.ts'

export interface ResolverOptions {
  /** Instead of those of /etc/resolv.conf: `192.0.2.53`, `127.0.0.1:5353`, `[::1]:5353`. */
  readonly servers?: readonly string[]
  readonly hostsFile?: string
  readonly resolvConf?: string
  /** For one question, all tries and names of the search list together. */
  readonly timeoutMs?: number
}

/** A server that does not answer costs this, twice at most, before the next one is asked. */
const TRY_MS = 1500
const TRIES = 2

/** @throws where a server is no address. */
export function createResolver(options: ResolverOptions = {}): ResolverPort {
  const { servers, hostsFile = '/etc/hosts', resolvConf = '/etc/resolv.conf', timeoutMs = 5000 } = options
  if (servers) new Resolver().setServers(servers)

  const ask = async (query: NameQuery, resolver: Resolver): Promise<Answer> => {
    const local = localAddresses(query.host, parseHosts(await textOf(hostsFile)))
    if (local) return localAnswer(query, local)
    const rules = parseResolvConf(await textOf(resolvConf))
    let answer: Answer | undefined
    for (const name of candidates(query.host, rules)) {
      const next = await askServers(resolver, name, query)
      if (next.ok || next.failure === 'timeout' || next.failure === 'server') return next
      // A name that exists without an address says more than one that does not exist.
      if (answer === undefined || next.failure === 'no-data') answer = next
    }
    return answer ?? noAddress(query.family)
  }

  return {
    resolve: (query, signal) => {
      const resolver = new Resolver({ timeout: Math.min(TRY_MS, timeoutMs), tries: TRIES })
      if (servers) resolver.setServers(servers)
      return bounded(ask(query, resolver), resolver, timeoutMs, signal)
    },
  }
}

/** The answer, or a timeout; the resolver has ended either way. */
function bounded(
  answer: Promise<Answer>,
  resolver: Resolver,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (result: Answer): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      resolver.cancel()
      resolve(result)
    }
    const abort = (): void => settle({ ok: false, failure: 'timeout', error: 'aborted' })
    const timer = setTimeout(
      () => settle({ ok: false, failure: 'timeout', error: `timeout after ${timeoutMs} ms` }),
      timeoutMs,
    )
    if (signal) {
      // One signal ends all questions: more than ten are no leak.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
    }
    answer.then(settle, (error: unknown) => settle({ ok: false, failure: 'server', error: String(error) }))
  })
}

function askServers(resolver: Resolver, name: string, { family }: NameQuery): Promise<Answer> {
  return new Promise((resolve) => {
    const done = (error: NodeJS.ErrnoException | null, records: readonly RecordWithTtl[]): void => {
      resolve(error ? failureOf(error, family) : foundIn(records))
    }
    if (family === 'ipv4') resolver.resolve4(name, { ttl: true }, done)
    else resolver.resolve6(name, { ttl: true }, done)
  })
}

function foundIn(records: readonly RecordWithTtl[]): Answer {
  // Node knows the TTL of the first 256 records only.
  const ttls = records.flatMap(({ ttl }: Partial<RecordWithTtl>) => (ttl === undefined ? [] : [ttl]))
  const ttlSec = ttls.length === 0 ? null : Math.min(...ttls)
  return { ok: true, addresses: records.map(({ address }) => address), ttlSec }
}

function localAnswer({ family }: NameQuery, all: readonly string[]): Answer {
  const addresses = all.filter((address) => familyOf(address) === family)
  return addresses.length === 0 ? noAddress(family) : { ok: true, addresses, ttlSec: null }
}

/** A file that is missing says nothing. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return ''
  }
}
