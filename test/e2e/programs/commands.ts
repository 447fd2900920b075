/** Runs commands of lb as it was built, one after another in one process: starting Node.js takes longer than most of them. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { answer } from '../../support/answer.ts'
import { root, type Outcome } from '../../support/lab/run.ts'

export interface Request {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface CommandClass {
  run(args: readonly string[], root: string): Promise<unknown>
}

/** What is written meanwhile, instead of writing it. */
async function captured(work: () => Promise<unknown>): Promise<Pick<Outcome, 'stdout' | 'stderr'>> {
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)]
  try {
    await work()
  } finally {
    stdout.restore()
    stderr.restore()
  }
  return { stdout: stdout.texts.join(''), stderr: stderr.texts.join('') }
}

interface Capture {
  readonly texts: readonly string[]
  readonly restore: () => void
}

function capture(stream: NodeJS.WriteStream): Capture {
  const texts: string[] = []
  const write = stream.write.bind(stream)
  stream.write = (chunk: string | Uint8Array) => {
    texts.push(String(chunk))
    return true
  }
  return { texts, restore: () => void (stream.write = write) }
}

answer(async ({ command, args, env }: Request): Promise<Outcome> => {
  const file = pathToFileURL(join(root, 'dist/commands', `${command}.js`)).href
  const { default: Command } = (await import(file)) as { default: CommandClass }
  Object.assign(process.env, env)
  process.exitCode = 0
  const texts = await captured(() => Command.run(args, root))
  const code = process.exitCode
  process.exitCode = 0
  return { code, ...texts }
})
