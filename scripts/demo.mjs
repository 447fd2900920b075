// @ts-check
/** Compiles and runs the demo in scripts/demo, which uses the network labs of the tests. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './setup/exec.mjs'

const outfile = join(root, 'build/demo/main.js')
await build({
  entryPoints: [join(root, 'scripts/demo/main.ts')],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
})
await import(outfile)
