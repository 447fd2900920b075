/** Asking the person at the terminal. */
import { createInterface } from 'node:readline/promises'
import { LbError } from '../engine/model/errors.ts'

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/**
 * Only `yes` is a yes.
 * @throws LbError `usage` where nobody can be asked, `refused` on any other answer
 */
export async function confirm(question: string, action: string): Promise<void> {
  if (!canAsk()) {
    throw new LbError(
      'usage',
      `${action} asks before it changes anything, and there is no terminal to ask at`,
      {
        hint: '--yes answers for you',
      },
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question}\n  Only 'yes' is accepted.\n\n  Enter a value: `)
    if (answer.trim() !== 'yes') throw new LbError('refused', 'not confirmed; nothing was changed')
  } finally {
    terminal.close()
  }
}
