import { DEFAULT_RUN_DIR } from '../daemon/control/protocol.ts'

/** Where daemons have their sockets and locks. */
export function runDir(): string {
  const { LB_RUN_DIR: given } = process.env
  return given !== undefined && given !== '' ? given : DEFAULT_RUN_DIR
}
