/** A target of a proxy as a row of the status. */
import type { TargetStatus } from '../../engine/model/status.ts'
import { escapeText } from '../text.ts'
import { ago } from './ago.ts'

const HEADS = ['TARGET', 'WEIGHT', 'SHARE', 'NOW', 'WHY', 'CONNS', 'DRAIN', 'CIRCUIT', 'HEALTH']

/** With the source route in front, where a proxy has any. */
export function targetHeads(withSource: boolean): string[] {
  return withSource ? ['SOURCE', ...HEADS] : HEADS
}

export function targetRow(target: TargetStatus, now: string, withSource: boolean): string[] {
  const { source, ip, port, host, weight, share, effectiveShare, cause, connections } = target
  const address = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  const row = [
    host === null ? address : `${address} (${escapeText(host)})`,
    weight === null ? '-' : String(weight),
    `${share} %`,
    `${effectiveShare} %`,
    cause === 'configured' ? '-' : cause,
    String(connections),
    drain(target, now),
    circuit(target),
    health(target, now),
  ]
  return withSource ? [source ?? '(default)', ...row] : row
}

function drain(
  { drain: { state, since, deadline, initial }, connections }: TargetStatus,
  now: string,
): string {
  if (state === 'none') return '-'
  if (since === null) return 'configured'
  if (state !== 'draining') return `${state} (${initial} at first)`
  const left = deadline === null ? '' : `, ${ago(now, deadline)} left`
  return `${connections} of ${initial}${left}`
}

function circuit({ breaker: { state, forced, errorRate } }: TargetStatus): string {
  if (state === 'open' && forced) return 'open by hand'
  const rate = errorRate !== null && errorRate > 0 ? ` (${Math.round(errorRate * 100)} % errors)` : ''
  return `${state}${rate}`
}

function health({ health: { state, since, recovery, last } }: TargetStatus, now: string): string {
  if (state === 'unknown') return last?.error ? `unknown: ${escapeText(last.error)}` : '-'
  const steps = state === 'healthy' && recovery < 4 ? `, ${recovery * 25} % back` : ''
  const time = since === null ? '' : ` for ${ago(since, now)}`
  const error = last?.error ? `: ${escapeText(last.error)}, ${ago(last.at, now)} ago` : ''
  return `${state}${time}${steps}${error}`
}
