/** oclif's hook for a command that there is not: wrong usage, with what may have been meant. */
import type { Hook } from '@oclif/core'
import { suggest } from '../engine/config/suggest.ts'
import { EXIT_CODES } from './exit-codes.ts'

export const commandNotFound: Hook.CommandNotFound = function ({ id, config }) {
  const meant = suggest(id, config.commandIDs)
  const hint =
    meant === undefined ? `\`${config.bin} --help\` lists them` : `did you mean \`${config.bin} ${meant}\`?`
  process.stderr.write(`Error: there is no command '${id}'\n  hint: ${hint}\n`)
  process.exitCode = EXIT_CODES.usage
  return Promise.resolve()
}
