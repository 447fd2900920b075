import { once } from 'node:events'
import { type Lab } from '../../support/netns.ts'
import { lbEnv } from '../../support/lab/lab.ts'

/** What a person at a terminal saw, colours taken away. */
export interface Session {
  readonly code: number
  readonly screen: string
}

/**
 * Runs lb at a pseudo-terminal and answers its prompt. `meanwhile` runs while it waits for the answer.
 */
export async function atTerminal(
  lab: Lab,
  args: readonly string[],
  answer: string,
  meanwhile: () => unknown = () => undefined,
): Promise<Session> {
  const words = lab.lbCommand(args).map((word) => `'${word}'`)
  const child = lab.lb.spawn(
    ['script', '--quiet', '--return', '--flush', '--command', words.join(' '), '/dev/null'],
    {
      cwd: lab.folder,
      env: { ...lbEnv, TERM: 'xterm' },
    },
  )
  const ended = once(child, 'close') as Promise<[number | null]>
  let screen = ''
  const prompt = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      screen += text
      if (screen.includes('Enter a value:')) resolve()
    })
  })
  await Promise.race([prompt, ended])
  await meanwhile()
  child.stdin?.on('error', () => undefined).write(`${answer}\n`)
  const [code] = await ended
  // eslint-disable-next-line no-control-regex -- colours are control characters
  return { code: code ?? -1, screen: screen.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '') }
}
