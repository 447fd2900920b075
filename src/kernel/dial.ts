/** TCP connections that are opened and reset by the addon. */
import { getSystemErrorName } from 'node:util'
import { Connector } from '../../native/index.ts'
import type { DialPort } from '../engine/ports/dial.ts'
import { attempt } from './errors.ts'

/** All share one descriptor, which is open from now on. */
export function createDialer(): DialPort {
  const waiting = new Map<number, (error: string | undefined) => void>()
  const connector = attempt(
    () =>
      new Connector((id, errno) => {
        const done = waiting.get(id)
        waiting.delete(id)
        done?.(nameOf(errno))
      }),
  )
  return {
    dial(ip, port, done) {
      const id = connector.start(ip, port)
      if (id < 0) {
        done(nameOf(-id))
        return () => undefined
      }
      waiting.set(id, done)
      return () => {
        if (waiting.delete(id)) connector.stop(id)
      }
    },
  }
}

function nameOf(errno: number): string | undefined {
  return errno === 0 ? undefined : getSystemErrorName(-errno)
}
