/** Why a command failed. Exit codes hang on these names (src/cli/exit-codes.ts), never on message texts. */
export type ErrorCode =
  | 'usage' // wrong flags or arguments
  | 'config' // the configuration is wrong; problems are listed
  | 'input' // another input (a plan file, a saved state) is wrong
  | 'host' // the host lacks something: an interface, a route, a right
  | 'kernel' // a system call failed
  | 'state' // what is pinned is damaged, foreign or of another version
  | 'stale' // the live state moved since the plan
  | 'locked' // another writer holds the lock
  | 'refused' // a guard said no, or the user did
  | 'apply-failed' // the old state serves, verified
  | 'apply-broken' // the old state could not be restored

export interface LbErrorOptions {
  /** What to do about it. */
  readonly hint?: string
  readonly cause?: unknown
}

/** The one error type that a command may end with; anything else is a bug and prints its stack. */
export class LbError extends Error {
  override readonly name = 'LbError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: LbErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}
