import { execute, settings } from '@oclif/core'

/**
 * Runs the command line and ends the process with its exit code.
 * @param root the folder of package.json and oclif.manifest.json
 */
export async function main(args: string[], root: string): Promise<void> {
  // What runs is what was built, whatever NODE_ENV says.
  settings.enableAutoTranspile = false
  // No plugins: oclif would look for them in the user's folders, and warn where it may not.
  await execute({ args, loadOptions: { root, userPlugins: false, devPlugins: false } })
}
