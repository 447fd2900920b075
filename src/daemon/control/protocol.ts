/** The daemon's socket: HTTP with JSON, bounded in every direction. docs/daemon.md documents it. */

export const DEFAULT_RUN_DIR = '/run/lb'

/** Where the daemon of an instance listens. */
export function socketPath(runDir: string, instance: string): string {
  return `${runDir}/${instance}.sock`
}

/** A folder whose lock says that the instance has a daemon. */
export function lockPath(runDir: string, instance: string): string {
  return `${runDir}/${instance}.lock`
}

export const LIMITS = {
  connections: 32,
  headerBytes: 8 * 1024,
  bodyBytes: 64 * 1024,
  /** For a request to arrive, and for its answer to be taken. */
  requestMs: 10_000,
  /** Of an answer, as far as the client reads it. */
  answerBytes: 64 * 1024 * 1024,
} as const
