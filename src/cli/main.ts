import { execute, settings } from '@oclif/core'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suggest } from '../engine/config/suggest.ts'
import { EXIT_CODES } from './exit-codes.ts'

/**
 * Runs the command line and ends the process with its exit code.
 * @param root the folder of package.json and oclif.manifest.json
 */
export async function main(args: string[], root: string): Promise<void> {
  const [command = ''] = args
  const known = commandNames(root)
  if (command !== '' && !command.startsWith('-') && !known.includes(command)) {
    refuse(command, known)
    return
  }
  // What runs is what was built, whatever NODE_ENV says.
  settings.enableAutoTranspile = false
  // No plugins: oclif would look for them in the user's folders, and warn where it may not.
  await execute({ args, loadOptions: { root, userPlugins: false, devPlugins: false } })
}

function commandNames(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as { commands: object }
  return Object.keys(manifest.commands)
}

/** Wrong usage, with what may have been meant: oclif would exit as if something had failed. */
function refuse(command: string, known: readonly string[]): void {
  const meant = suggest(command, known)
  const hint = meant === undefined ? '`lb --help` lists them' : `did you mean \`lb ${meant}\`?`
  process.stderr.write(`Error: there is no command '${command}'\n  hint: ${hint}\n`)
  process.exitCode = EXIT_CODES.usage
}
