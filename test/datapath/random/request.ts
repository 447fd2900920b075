/** What the process that plays cases is asked, and answers. */
import type { Case } from './case.ts'

export type Request =
  /** The path of the object whose idle program makes XDP possible on the interfaces. */
  | { readonly prepare: string }
  | { readonly object: string; readonly seed: number; readonly packets: number }
  | { readonly object: string; readonly replay: Case }

export interface Failure {
  /** For people: see report.ts. */
  readonly text: string
  readonly smallest: Case
  /** Whether the case fails every time it is played. */
  readonly repeats: boolean
  /** Of the case that failed first, before it was made smaller. */
  readonly number?: number
}

export interface Answer {
  /** Packets on which data plane and model agree. */
  readonly judged: number
  /** How many of them had each reason, and how many were translated, by what they were. */
  readonly tally: ReadonlyMap<string, number>
  readonly failure?: Failure
}

/** In a tally: packets for which another connection was evicted. */
export const MADE_ROOM = 'another connection made room'
