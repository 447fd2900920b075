/** A generation that is to be confirmed, and goes by itself where it is not. */

import { timeOfDay } from './clocks.ts'
import type { Clocks } from './clocks.ts'

/** Who confirms it: a person, or the command that watches its targets, at the end of its watch. */
export type ConfirmationKind = 'asked' | 'watched'

/** Without meaning where another generation serves than the one that it names. */
export interface Confirmation {
  readonly generation: number
  /** What served before, and serves again after the deadline; 0: nothing. */
  readonly previous: number
  /** Milliseconds of the monotonic clock. */
  readonly deadline: number
  readonly kind: ConfirmationKind
}

/** The same in words of the day, to be shown. */
export interface PendingConfirmation extends Omit<Confirmation, 'deadline'> {
  /** ISO 8601, UTC: by when. */
  readonly until: string
  /** 0: none. */
  readonly secondsLeft: number
  /** The time is up, and nobody has gone back yet. */
  readonly overdue: boolean
}

export function pendingConfirmation(
  { deadline, ...rest }: Confirmation,
  clocks: Clocks,
): PendingConfirmation {
  const until = new Date(timeOfDay(deadline, clocks)).toISOString()
  const secondsLeft = Math.max(0, Math.ceil((deadline - clocks.monotonic) / 1000))
  return { ...rest, until, secondsLeft, overdue: clocks.monotonic >= deadline }
}
