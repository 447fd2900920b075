/** A process inside a network namespace that answers one request after another. */
import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import { bundle } from './bundle.ts'
import { end } from './lab/run.ts'

export interface Child<Request extends object, Answer extends object> {
  /** Fails with what went wrong there. */
  ask(request: Request): Promise<Answer>
  close(): Promise<void>
}

/**
 * Starts a TypeScript program, given from the root of the repository, that answers messages with messages,
 * or with `{ error }`.
 */
export function startChild<Request extends object, Answer extends object>(
  namespace: string,
  program: string,
): Child<Request, Answer> {
  const argv = ['nsenter', `--net=/run/netns/${namespace}`, process.execPath, bundle(program)] as const
  const child = spawn(argv[0], argv.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  return {
    ask: (request) => ask<Answer>(child, request),
    close: () => end(child),
  }
}

async function ask<Answer extends object>(child: ChildProcess, request: object): Promise<Answer> {
  const gone = new AbortController()
  const died = once(child, 'exit', { signal: gone.signal }).then(([status]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(status)}`)
  })
  died.catch(() => undefined)
  try {
    const answered = once(child, 'message', { signal: gone.signal }) as Promise<[Answer | { error: string }]>
    answered.catch(() => undefined)
    child.send(request)
    const [answer] = await Promise.race([answered, died])
    if ('error' in answer) throw new Error(answer.error)
    return answer
  } finally {
    gone.abort()
  }
}
