/** Changes of what is known of targets, as lines of the log. */
import type { RuntimeUpdate } from '../../engine/execute/runtime.ts'
import { formatEndpoint } from '../../engine/model/ip.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { Log } from '../log.ts'

export interface Causes {
  /** Why the last check failed. */
  readonly error: (key: TargetKey) => string | null
  /** Why the breaker changed. */
  readonly breaker: (key: TargetKey) => string | undefined
}

export function sayUpdates(log: Log, updates: readonly RuntimeUpdate[], causes: Causes): void {
  for (const update of updates) {
    sayHealth(log, update, causes)
    sayBreaker(log, update, causes)
    sayDrain(log, update)
    const { before, after, key } = update
    if (before.load !== after.load) {
      log.debug('load', `${nameOf(key)} has ${percent(after.load)} of its weight, by its connections`, {
        ...fieldsOf(key),
        load: after.load,
      })
    }
  }
}

export function nameOf({ proxy, ip, port }: TargetKey): string {
  return `${proxy} ${formatEndpoint(ip, port)}`
}

export function fieldsOf({ proxy, ip, port }: TargetKey): { proxy: string; target: string } {
  return { proxy, target: formatEndpoint(ip, port) }
}

function percent(millionths: number): string {
  return `${Math.round(millionths / 1000) / 10} %`
}

function sayHealth(log: Log, { key, before, after }: RuntimeUpdate, causes: Causes): void {
  const { state, recovery } = after.health
  if (before.health.state === state && before.health.recovery === recovery) return
  const fields = { ...fieldsOf(key), state, from: before.health.state, recovery }
  const name = nameOf(key)
  if (state === 'unhealthy') {
    const cause = causes.error(key)
    log.warn('health', `${name} is unhealthy: ${cause ?? 'its checks fail'}`, { ...fields, cause })
  } else if (state === 'unknown') log.info('health', `${name} is not checked any more`, fields)
  else if (recovery === 4) log.info('health', `${name} is healthy`, fields)
  else log.info('health', `${name} is healthy, with ${recovery * 25} % of its weight for now`, fields)
}

function sayBreaker(log: Log, { key, before, after }: RuntimeUpdate, causes: Causes): void {
  const { state } = after.breaker
  if (before.breaker.state === state) return
  const cause = causes.breaker(key) ?? 'hand'
  const fields = { ...fieldsOf(key), state, from: before.breaker.state, cause }
  const level = state === 'open' ? 'warn' : 'info'
  log[level]('breaker', `${nameOf(key)}: its circuit is ${state} (${cause})`, fields)
}

function sayDrain(log: Log, { key, before, after }: RuntimeUpdate): void {
  const { state, initial } = after.drain
  if (before.drain.state === state) return
  const words = {
    none: 'is drained no more',
    draining: 'is being drained',
    completed: 'is drained: it has no connection left',
    timeout: 'was not drained in time: it has connections still',
  }
  const level = state === 'timeout' ? 'warn' : 'info'
  log[level]('drain', `${nameOf(key)} ${words[state]}`, { ...fieldsOf(key), state, initial })
}
