/**
 * What is known of one name and family (a NameQuery), from answer to answer.
 *
 * What was good once stays until something as good replaces it: no failure takes addresses away, be it silence, an
 * error of the server, a name that is gone or an answer without an address that can be used. Taking targets
 * away for those would turn an outage of the resolver into one of the service.
 *
 * Times are milliseconds of a clock that is never set, such as performance.now().
 */
import type { Answer, HostAddresses, NameQuery } from '../model/resolution.ts'
import { usableAddresses } from './addresses.ts'

export interface NameState {
  readonly query: NameQuery
  /** Of the last good answer: canonical, sorted. The same array as long as they are the same. Empty: there was none. */
  readonly addresses: readonly string[]
  /** When the last good answer came; `null`: none yet. */
  readonly resolvedAt: number | null
  /** Answers in a row that were no good. */
  readonly failures: number
  /** What was wrong with the last answer; `null`: nothing, or there was none yet. */
  readonly error: string | null
  /** When to ask next. */
  readonly nextAt: number
}

export interface Refresh {
  /** The smallest of those configured for the name, in seconds. */
  readonly refreshSec: number
  /** 0 to 1. */
  readonly random: number
}

/** Added to each time until the next question: up to this share of it. */
const JITTER = 0.1
const LEAST_MS = 1000
/** After a failure the name is asked for again sooner than usual: after 1, 2, 4, … seconds. */
const MAX_DOUBLINGS = 12

/** `known`: addresses from before, as the applied configuration has them. */
export function createName(query: NameQuery, now: number, known: readonly string[] = []): NameState {
  const addresses = usableAddresses(known, query.family)
  return { query, addresses, resolvedAt: null, failures: 0, error: null, nextAt: now }
}

/** An answer has come. The addresses have changed exactly when `addresses` is another array than before. */
export function answered(state: NameState, answer: Answer, now: number, refresh: Refresh): NameState {
  const usual = refresh.refreshSec * 1000
  const found = answer.ok ? usableAddresses(answer.addresses, state.query.family) : []
  if (!answer.ok || found.length === 0) {
    const failures = state.failures + 1
    const retry = LEAST_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS)
    const nextAt = now + withJitter(Math.min(usual, retry), refresh.random)
    return { ...state, failures, error: errorOf(state.query, answer), nextAt }
  }
  const ttl = answer.ttlSec === null ? usual : answer.ttlSec * 1000
  return {
    query: state.query,
    addresses: isSame(found, state.addresses) ? state.addresses : found,
    resolvedAt: now,
    failures: 0,
    error: null,
    nextAt: now + withJitter(Math.min(usual, ttl), refresh.random),
  }
}

/** The addresses of all names, both families of a host together. */
export function hostAddresses(states: Iterable<NameState>): HostAddresses {
  const hosts = new Map<string, readonly string[]>()
  for (const { query, addresses } of states) {
    if (addresses.length === 0) continue
    hosts.set(query.host, [...new Set([...(hosts.get(query.host) ?? []), ...addresses])].sort())
  }
  return hosts
}

function withJitter(ms: number, random: number): number {
  return Math.max(LEAST_MS, ms) * (1 + JITTER * random)
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i])
}

function errorOf({ family }: NameQuery, answer: Answer): string {
  if (!answer.ok) return answer.error
  const none = `the name has no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`
  return answer.addresses.length === 0 ? none : `${none} that can be used`
}
