import { execute, settings } from '@oclif/core'

/**
 * Runs the command line and ends the process with its exit code.
 * @param root the folder of package.json and oclif.manifest.json
 */
export async function main(args: string[], root: string): Promise<void> {
  // What runs is what was built, whatever NODE_ENV says.
  settings.enableAutoTranspile = false
  await execute({ args, loadOptions: { root } })
}
