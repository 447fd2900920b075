/** Random cases, played to a data plane and to the model in a process of their own. */
import { compileBpf } from '../../support/native.ts'
import { startChild } from '../../support/child.ts'
import { createNetwork } from '../support/network.ts'
import type { Answer, Request } from './request.ts'

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
