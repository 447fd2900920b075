/** Tells the service manager (systemd) how the daemon is: sd_notify(3). */

export interface Manager extends Disposable {
  readonly ready: (status: string) => void
  readonly reloading: () => void
  readonly stopping: () => void
}

export interface ManagerOptions {
  /** Gives what went wrong; `undefined`: there is no manager to tell. */
  readonly notify: ((message: string) => Error | undefined) | undefined
  /** How often a sign of life is expected; `undefined`: never. */
  readonly watchdogMs: number | undefined
}

/** Signs of life come from the event loop: one that is stuck gives none. */
export function makeManager({ notify, watchdogMs }: ManagerOptions): Manager {
  const say = (...lines: readonly string[]): void => void notify?.(lines.join('\n'))
  const timer =
    notify && watchdogMs !== undefined ? setInterval(() => say('WATCHDOG=1'), watchdogMs / 3) : undefined
  return {
    ready: (status) => say('READY=1', `STATUS=${status.replace(/\s+/g, ' ')}`),
    // The manager needs the time to tell this reload from the one before.
    reloading: () => say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => say('STOPPING=1'),
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}
