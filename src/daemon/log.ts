/**
 * What the daemon says: a line for each decision, with its cause. JSON for programs, text where stdout is
 * a terminal.
 */
import { pino } from 'pino'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  /** `event` names the kind of thing that happened, for programs; `message` says it to people. */
  readonly debug: (event: string, message: string, fields?: Fields) => void
  readonly info: (event: string, message: string, fields?: Fields) => void
  readonly warn: (event: string, message: string, fields?: Fields) => void
  readonly error: (event: string, message: string, fields?: Fields) => void
  /** Writes what is yet to be written. */
  readonly flush: () => void
}

export interface LogOptions {
  readonly level: LogLevel
  readonly instance: string
  /** Text for a person, made of the time, the level, the message and what else there is to show. */
  readonly render: ((line: LogLine) => string) | undefined
}

export interface LogLine {
  readonly at: Date
  readonly level: LogLevel
  readonly event: string
  readonly message: string
  readonly fields: Fields
}

export function makeLog(options: LogOptions): Log {
  return options.render ? textLog(options.level, options.render) : jsonLog(options)
}

/** Bytes that wait to be written, where that cannot be done: what comes then is left out. */
const UNWRITTEN_MAX = 1 << 20

function jsonLog({ level, instance }: LogOptions): Log {
  // Written in the background: a reader that is slow must not hold up health checks.
  const out = pino.destination({ dest: 1, sync: false, maxLength: UNWRITTEN_MAX })
  // A reader that is gone, or a full disk, is no reason to end.
  out.on('error', () => undefined)
  const logger = pino(
    {
      level,
      base: { instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  )
  const at =
    (label: LogLevel) =>
    (event: string, message: string, fields: Fields = {}): void => {
      logger[label]({ event, ...fields }, message)
    }
  const flush = (): void => {
    try {
      out.flushSync()
    } catch {
      // Nobody reads any more.
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), flush }
}

function textLog(least: LogLevel, render: (line: LogLine) => string): Log {
  const at =
    (level: LogLevel) =>
    (event: string, message: string, fields: Fields = {}): void => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return
      process.stdout.write(`${render({ at: new Date(), level, event, message, fields })}\n`)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    flush: () => undefined,
  }
}
