/** Random cases, played to a data plane and to the model in a process of their own. */
import { compileBpf } from '../../support/native.ts'
import { startChild } from '../support/child.ts'
import { createNetwork } from '../support/network.ts'
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

export interface Fuzzer {
  /** Ends with the first failure, made small. */
  run(request: Exclude<Request, { prepare: string }>): Promise<Answer>
  close(): Promise<void>
}

export async function createFuzzer(): Promise<Fuzzer> {
  const network = await createNetwork()
  const child = startChild<Request, Answer>(network.namespace, 'test/datapath/random/main.ts')
  const close = async (): Promise<void> => {
    await child.close()
    await network.remove()
  }
  try {
    await child.ask({ prepare: compileBpf('native') })
  } catch (error) {
    await close()
    throw error
  }
  return { run: (request) => child.ask(request), close }
}
