/** Signals: SIGHUP reads the files again, SIGTERM and SIGINT end the daemon; said twice, at once. */

export interface Signals extends Disposable {
  /** Which signal it was. */
  readonly stopped: Promise<NodeJS.Signals>
}

export function untilStopped(onReload: () => void): Signals {
  let stop: (signal: NodeJS.Signals) => void
  const stopped = new Promise<NodeJS.Signals>((resolve) => (stop = resolve))
  const onStop = (signal: NodeJS.Signals): void => {
    // The next one does what signals do by default.
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeListener(name, onStop)
    stop(signal)
  }
  process.on('SIGHUP', onReload).on('SIGTERM', onStop).on('SIGINT', onStop)
  return {
    stopped,
    [Symbol.dispose]() {
      process.removeListener('SIGHUP', onReload)
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeListener(name, onStop)
    },
  }
}
