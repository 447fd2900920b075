/** Stable exit codes, by the kind of failure. 0: done or nothing to do; 2: changes, with --detailed-exitcode. */
import type { ErrorCode } from '../engine/model/errors.ts'

export const EXIT_CHANGES = 2

export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  config: 1,
  input: 1,
  host: 1,
  kernel: 1,
  state: 1,
  usage: 3,
  stale: 4,
  locked: 5,
  refused: 6,
  'apply-failed': 7,
  'apply-broken': 8,
}
