// @ts-check
/** Removes everything that the build makes; node_modules stays. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup/exec.mjs'
import { filesUnder } from './setup/stamps.mjs'

const generated = filesUnder(['src']).filter((file) => /\.generated\.[^/]+$/.test(file))
for (const path of ['build', 'dist', 'native/build', 'oclif.manifest.json', ...generated]) {
  rmSync(join(root, path), { recursive: true, force: true })
}
