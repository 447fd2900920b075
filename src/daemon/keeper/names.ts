/** Asks for names again and again, each at its time, and knows the addresses that they have. */
import { answered, createName, hostAddresses } from '../../engine/dns/name.ts'
import type { NameState } from '../../engine/dns/name.ts'
import type { HostAddresses } from '../../engine/model/resolution.ts'
import type { Family } from '../../engine/model/snapshot.ts'
import type { NameStatus } from '../../engine/model/status.ts'
import type { HostName } from '../../engine/model/unresolved.ts'
import type { ResolverPort } from '../../engine/ports/resolver.ts'
import type { Log } from '../log.ts'

export interface Names extends Disposable {
  /** These names from now on. `known`: the addresses that are applied, for names that are new. */
  readonly replace: (hosts: readonly HostName[], known: HostAddresses) => void
  readonly addresses: () => HostAddresses
  readonly status: () => readonly NameStatus[]
}

export interface NamesOptions {
  readonly resolver: ResolverPort
  readonly log: Log
  /** Answers have come: the addresses may be others than those that are applied. */
  readonly onAnswers: () => void
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']
/** Questions under way at once. */
const CONCURRENCY = 50
/** Answers of one moment are acted on together. */
const GATHER_MS = 20

interface Entry {
  state: NameState
  refreshSec: number
  asking: boolean
}

export function makeNames({ resolver, log, onAnswers }: NamesOptions): Names {
  let entries = new Map<string, Entry>()
  let timer: NodeJS.Timeout | undefined
  let gathering: NodeJS.Timeout | undefined
  const ending = new AbortController()

  const run = (): void => {
    clearTimeout(timer)
    if (ending.signal.aborted) return
    const now = performance.now()
    const all = [...entries.values()]
    const due = all.filter(({ asking, state }) => !asking && state.nextAt <= now)
    const room = CONCURRENCY - all.filter(({ asking }) => asking).length
    for (const entry of due.slice(0, Math.max(0, room))) void ask(entry)
    const next = Math.min(...all.filter(({ asking }) => !asking).map(({ state }) => state.nextAt))
    if (next !== Infinity && due.length <= room)
      timer = setTimeout(run, Math.max(1, next - performance.now()))
  }
  const ask = async (entry: Entry): Promise<void> => {
    entry.asking = true
    const answer = await resolver.resolve(entry.state.query, ending.signal)
    entry.asking = false
    if (ending.signal.aborted) return
    const before = entry.state
    const random = Math.random()
    entry.state = answered(before, answer, performance.now(), { refreshSec: entry.refreshSec, random })
    say(before, entry.state)
    gathering ??= setTimeout(() => {
      gathering = undefined
      onAnswers()
    }, GATHER_MS)
    run()
  }
  /** A family that a name never had is no failure, where it has the other one. */
  const hasOther = ({ query }: NameState): boolean =>
    [...entries.values()].some(
      ({ state }) =>
        state.query.host === query.host && state.query.family !== query.family && state.addresses.length > 0,
    )
  const isFailing = (state: NameState): boolean =>
    state.error !== null && (state.addresses.length > 0 || !hasOther(state))
  const say = (before: NameState, after: NameState): void => {
    const { host, family } = after.query
    const fields = { host, family, addresses: after.addresses }
    if (after.error !== null && before.error !== after.error && isFailing(after)) {
      const stay = after.addresses.length > 0 ? '; its addresses stay' : ''
      log.warn('dns', `${host} could not be resolved: ${after.error}${stay}`, {
        ...fields,
        cause: after.error,
      })
    } else if (after.error === null && before.error !== null && before.failures > 0 && isFailing(before)) {
      log.info('dns', `${host} can be resolved again`, fields)
    }
  }
  return {
    replace(hosts, known) {
      const next = new Map<string, Entry>()
      for (const { host, dnsRefreshSeconds: refreshSec } of hosts) {
        for (const family of FAMILIES) {
          const query = { host, family }
          const entry = entries.get(`${family} ${host}`)
          const applied = known.get(host)
          if (entry) entry.refreshSec = refreshSec
          // Somebody applied others, just resolved or long ago: only an answer can tell.
          if (entry && applied && differs(entry.state, applied)) {
            entry.state = createName(query, performance.now(), applied)
          }
          const fresh = (): Entry => ({
            state: createName(query, performance.now(), applied),
            refreshSec,
            asking: false,
          })
          next.set(`${family} ${host}`, entry ?? fresh())
        }
      }
      entries = next
      run()
    },
    addresses: () => hostAddresses([...entries.values()].map(({ state }) => state)),
    status: () =>
      [...entries.values()]
        .map(({ state }) => state)
        .filter((state) => state.addresses.length > 0 || !hasOther(state))
        .map((state) => ({
          host: state.query.host,
          family: state.query.family,
          addresses: state.addresses,
          resolvedAt: state.resolvedAt === null ? null : wallClock(state.resolvedAt),
          failures: state.failures,
          error: state.error,
        })),
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearTimeout(gathering)
      ending.abort()
    },
  }
}

function differs({ query, addresses }: NameState, applied: readonly string[]): boolean {
  return createName(query, 0, applied).addresses.join() !== addresses.join()
}

/** From the clock that is never set. */
function wallClock(at: number): string {
  return new Date(Date.now() - (performance.now() - at)).toISOString()
}
