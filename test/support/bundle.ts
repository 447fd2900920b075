import { mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildSync } from 'esbuild'
import { afterAll } from 'vitest'
import { testNames } from './lab/names.ts'
import { root } from './lab/run.ts'

const bundles = new Map<string, string>()
afterAll(() => {
  for (const file of bundles.values()) rmSync(file, { force: true })
  bundles.clear()
})

/**
 * Makes a TypeScript program, given from the root of the repository, into one file for plain Node.js;
 * gives its path. Once for each file of tests, after which it is gone.
 */
export function bundle(program: string): string {
  const known = bundles.get(program)
  if (known !== undefined) return known
  // Inside the repository: the addon is found by the package.json above the file that loads it.
  const folder = join(root, 'node_modules/.cache/lb-test')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${testNames().instance}-${basename(program, '.ts')}.mjs`)
  buildSync({
    entryPoints: [join(root, program)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // CommonJS packages in the bundle call require() for Node's own modules.
    banner: { js: "import{createRequire as __lb}from'node:module';const require=__lb(import.meta.url);" },
  })
  bundles.set(program, outfile)
  return outfile
}
