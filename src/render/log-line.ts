/** A line of the daemon's log, for a person at a terminal. */
import type { Palette } from './palette.ts'
import { escapeText } from './text.ts'

export interface Line {
  readonly at: Date
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** `15:04:05.123 warn  drift     ...`; frames of source stand below it. */
export function renderLogLine({ at, level, event, message, fields }: Line, palette: Palette): string {
  const { dim, red, yellow, cyan } = palette
  const paint = level === 'error' ? red : level === 'warn' ? yellow : level === 'info' ? cyan : dim
  const time = at.toISOString().slice(11, 23)
  const head = `${dim(time)} ${paint(level.padEnd(5))} ${escapeText(event).padEnd(8)} ${escapeText(message)}`
  const { text } = fields
  if (typeof text !== 'string' || text === '') return head
  const lines = text.split('\n').map((line) => `    ${escapeText(line)}`)
  return [head, ...lines].join('\n')
}
