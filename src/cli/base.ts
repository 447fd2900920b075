/** What all commands share: flags, output, errors, exit codes. */
import { Command, Flags } from '@oclif/core'
import { LbError } from '../engine/model/errors.ts'
import type { Problem } from '../engine/model/problem.ts'
import { renderJson } from '../render/json.ts'
import { makePalette } from '../render/palette.ts'
import type { Palette } from '../render/palette.ts'
import { EXIT_CODES } from './exit-codes.ts'

/** Names of folders in bpffs, which refuses dots. */
const INSTANCE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

export const instanceFlag = Flags.custom({
  description: 'the load balancer to work on; several can live on one host',
  default: 'default',
  helpValue: 'NAME',
  helpGroup: 'GLOBAL',
  parse: (value) => {
    if (INSTANCE.test(value)) return Promise.resolve(value)
    return Promise.reject(
      new LbError('usage', `--instance '${value}': a name is letters, digits, - and _, 63 at most`),
    )
  },
})

export const configFlag = Flags.custom<string[]>({
  char: 'c',
  description: 'file or folder of configuration, or - for stdin; repeatable [default: LB_CONFIG or lb.yaml]',
  helpValue: 'PATH',
  multiple: true,
})

/** A configuration that is wrong, with all that is wrong with it. */
export class ConfigError extends LbError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error').length
    super('config', `the configuration has ${errors === 1 ? 'an error' : `${errors} errors`}`)
    this.problems = problems
  }
}

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = { instance: instanceFlag() }

  /** Colours for stdout. */
  protected get palette(): Palette {
    return makePalette(useColour(process.stdout))
  }

  /** The result, whole, on stdout; nothing under --json. */
  protected print(text: string): void {
    if (!this.jsonEnabled()) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** Everything else, on stderr. */
  protected note(text: string): void {
    process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** What is worth knowing of a configuration that is right. */
  protected noteWarnings(problems: readonly Problem[]): void {
    for (const { message, hint } of problems) this.note(`Warning: ${message}${hint ? ` (${hint})` : ''}`)
  }

  /** oclif colours JSON on a terminal, and leaves control characters as they are. */
  override logJson(json: unknown): void {
    process.stdout.write(`${renderJson(json)}\n`)
  }

  /** The exit code of a command that did what it should. */
  protected exitWith(code: number): void {
    process.exitCode = code
  }

  protected override async catch(error: Error & { exitCode?: number }): Promise<void> {
    // oclif warns of a command that has not parsed its arguments, also where they were wrong.
    this.parsed = true
    const failure = await describeFailure(error)
    if (!failure) throw error
    if (this.jsonEnabled()) this.logJson(failure.json)
    else this.note(failure.text(makePalette(useColour(process.stderr))))
    process.exitCode = EXIT_CODES[failure.code]
  }
}

export function useColour(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}

interface Failure {
  readonly code: LbError['code']
  readonly json: unknown
  readonly text: (palette: Palette) => string
}

/** `undefined`: not one of ours, so a bug, which oclif prints with its stack. */
async function describeFailure(error: Error): Promise<Failure | undefined> {
  const known = asLbError(error)
  if (!known) return undefined
  const { code, message, hint } = known
  const problems = known instanceof ConfigError ? known.problems : undefined
  return {
    code,
    json: {
      formatVersion: 1,
      error: { code, message, ...(hint && { hint }), ...(problems && { problems }) },
    },
    text: await failureText(message, hint, problems),
  }
}

async function failureText(
  message: string,
  hint: string | undefined,
  problems: readonly Problem[] | undefined,
): Promise<Failure['text']> {
  if (problems) {
    const { renderProblems } = await import('../render/validate/human.ts')
    return (palette) => renderProblems(problems, palette)
  }
  return (palette) => {
    const head = `${palette.red('Error:')} ${message}`
    return hint === undefined ? head : `${head}\n  ${palette.cyan('hint:')} ${hint}`
  }
}

function asLbError(error: Error): LbError | undefined {
  // An error that a flag's own parser throws comes back with oclif's words around it.
  if (error instanceof LbError) return error.message.startsWith('Parsing --') ? usageError(error) : error
  return 'oclif' in error ? usageError(error) : undefined
}

/** Wrong flags and arguments, as oclif's parser reports them: a headline, then indented details. */
function usageError(error: Error): LbError {
  const lines = error.message.split('\n').map((line) => line.trim())
  const told = lines.filter(
    (line) => line !== '' && !/^(See more help|The following errors? occurred)/.test(line),
  )
  return new LbError('usage', told.join(': ').replace(/^Parsing --\S+\s*: /, ''), {
    cause: error,
    hint: '--help shows the flags and arguments',
  })
}
