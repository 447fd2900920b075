#!/usr/bin/env node
/** Builds what has changed, then runs lb: for work on lb itself. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const setup = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url))
// On stderr, so that stdout is the command's.
const { status } = spawnSync(process.execPath, [setup], { stdio: ['ignore', 2, 2] })
if (status === 0) await import('./run.js')
else process.exitCode = 1
