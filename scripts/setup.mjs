// @ts-check
/**
 * Makes a clone ready: system packages, npm packages, everything that is built. Whatever is ready
 * already is left alone. With --test, also what only the checks and tests need;
 * with --bench, what the benchmarks compare with.
 *
 * Needs nothing but Node.js: it runs before node_modules exists.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from './setup/build.mjs'
import { root, script, statusOf } from './setup/exec.mjs'
import { ensureNodeModules } from './setup/npm.mjs'
import { ensurePackages, toBench, toBuildAndRun, toTest } from './setup/packages.mjs'

const self = fileURLToPath(import.meta.url)

await script(async () => {
  const args = process.argv.slice(2)
  const underLock = process.env['LB_SETUP_LOCKED'] === '1'
  const hasFlock = spawnSync('flock', ['--version']).status === 0
  if (!underLock && hasFlock) {
    // Two of these at a time, as from two terminals, would build into each other.
    mkdirSync(`${root}build`, { recursive: true })
    const command = [process.execPath, self, ...args]
    return statusOf('flock', ['--close', 'build/setup.lock', ...command], { env: { LB_SETUP_LOCKED: '1' } })
  }
  await ensurePackages([
    ...toBuildAndRun,
    ...(args.includes('--test') ? toTest : []),
    ...(args.includes('--bench') ? toBench : []),
  ])
  await ensureNodeModules()
  await build()
  return 0
})
