import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Host } from '../../support/lab/host.ts'

const programs = join(import.meta.dirname, '../programs')

/** What the servers that `serve` starts do on each port. */
export const echoPort = 7000
export const digestPort = 7001
export const sourcePort = 7002

/** Starts servers of plain TCP, which end with the lab. */
export async function serve(hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.map(serveOn))
}

async function serveOn(host: Host): Promise<void> {
  const ports = [echoPort, digestPort, sourcePort].map(String)
  const child = host.spawn([process.execPath, join(programs, 'talk-server.mjs'), host.name, ...ports])
  child.stderr?.pipe(process.stderr)
  await once(createInterface({ input: child.stdout! }), 'line')
}

interface Place {
  readonly address: string
  readonly port: number
  readonly from?: string
  readonly localPort?: number
  readonly timeoutMs?: number
}

/** What programs/talk-client.mjs can do. */
export type Step =
  | ({ readonly op: 'open'; readonly on: string } & Place)
  | { readonly op: 'say'; readonly on: string; readonly text: string }
  | { readonly op: 'end' | 'reset' | 'closed'; readonly on: string }
  | { readonly op: 'upload' | 'download'; readonly on: string; readonly bytes: number }
  | { readonly op: 'wait' }

const command = (steps: readonly Step[]) => [
  process.execPath,
  join(programs, 'talk-client.mjs'),
  JSON.stringify(steps),
]

/** Carries steps out on a machine; gives what became of each. */
export async function talk(host: Host, steps: readonly Step[]): Promise<unknown[]> {
  const lines = (await host.exec(command(steps))).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as unknown)
}

/** Opens a connection and leaves it alone until told; then says something; gives what became of that. */
export async function idle(host: Host, place: Place): Promise<() => Promise<unknown>> {
  const one = await crowd(host, place, { size: 1, words: ['hi', 'again'] })
  return async () => (await one.goOn())[0]
}

/** Connections that were opened and are left alone. */
export interface Crowd {
  /** What each was answered when it said the first word. */
  readonly answers: readonly unknown[]
  /** Has each say the next word; gives what each was answered, or what became of it. */
  goOn(): Promise<unknown[]>
}

/** Opens connections, one after another. Each says its words with its number. */
export async function crowd(
  host: Host,
  place: Place,
  { size, words: [first = '', ...words] }: { readonly size: number; readonly words: readonly string[] },
): Promise<Crowd> {
  const names = Array.from({ length: size }, (_, i) => String(i))
  const child = host.spawn(
    command([
      ...names.flatMap((name) => [open(name, place), say(name, `${first} ${name}`)]),
      ...words.flatMap(
        (word) => [{ op: 'wait' }, ...names.map((name) => say(name, `${word} ${name}`))] as Step[],
      ),
    ]),
  )
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value as string) as unknown
  const answers: unknown[] = []
  for (const name of names) {
    const [opened, answer] = [await next(), await next()]
    if (opened !== 'open') throw new Error(`connection ${name} did not open: ${String(opened)}`)
    answers.push(answer)
  }
  return {
    answers,
    goOn: async () => {
      child.stdin?.write('go on\n')
      await next()
      const outcomes: unknown[] = []
      for (const _ of names) outcomes.push(await next())
      return outcomes
    },
  }
}

export const open = (on: string, place: Place): Step => ({ op: 'open', on, ...place })
export const say = (on: string, text: string): Step => ({ op: 'say', on, text })
export const end = (on: string): Step => ({ op: 'end', on })
export const reset = (on: string): Step => ({ op: 'reset', on })
export const closed = (on: string): Step => ({ op: 'closed', on })
export const upload = (on: string, bytes: number): Step => ({ op: 'upload', on, bytes })
export const download = (on: string, bytes: number): Step => ({ op: 'download', on, bytes })
