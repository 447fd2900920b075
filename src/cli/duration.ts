/** Durations as flags take them: `500ms`, `60s`, `5m`, `1h`. */
import { LbError } from '../engine/model/errors.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds. @throws LbError `usage` for what is no duration, or outside the limits */
export function readDuration(flag: string, text: string, limits: { min: number; max: number }): number {
  const [, number, unit] = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text) ?? []
  const factor = UNITS[unit ?? '']
  if (number === undefined || factor === undefined) {
    throw new LbError(
      'usage',
      `${flag} '${text}': a duration is a number and a unit, like 500ms, 60s, 5m or 1h`,
    )
  }
  const ms = Number(number) * factor
  if (ms >= limits.min && ms <= limits.max) return ms
  throw new LbError('usage', `${flag} '${text}': from ${limits.min} ms to ${limits.max / 1000} s`)
}
