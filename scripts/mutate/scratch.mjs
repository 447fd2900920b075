// @ts-check
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, SetupError } from '../setup/exec.mjs'

const TIMEOUT_MS = 400_000

/** Not copied. */
const left = new Set(['.git', 'node_modules', 'coverage'].map((name) => join(root, name)))
/** Caches, of which the copy has its own. */
const caches = new Set(['.cache', '.vite', '.vite-temp', '.experimental-vitest-cache'])

/**
 * A copy of the working tree with everything built, to plant faults in; gone when `work` is done.
 * @template T
 * @param {number} number tells two copies of a process apart
 * @param {(folder: string) => Promise<T>} work
 */
export async function inScratchCopy(number, work) {
  // Named as the labs of tests are: what a killed run leaves behind, the next test run removes.
  const folder = join(tmpdir(), `test-${process.pid}-${number}-mutation`)
  try {
    cpSync(root, folder, { recursive: true, filter: (path) => !left.has(path) })
    // A folder of links and no link: what tests bundle into its cache belongs to the copy.
    mkdirSync(join(folder, 'node_modules'))
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (caches.has(name)) continue
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    }
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Runs tests in a copy, up to the first that fails. Null where all pass, else the name of that test.
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {Promise<string | null>}
 */
export async function firstFailure(folder, args) {
  // Told to stop at the first failure, vitest stops now and then before it has said which one that was.
  const first = await runTests(folder, args)
  const { failure, output } = first.failure === undefined ? await runTests(folder, args) : first
  // What is no test's doing, as where vitest does not start, says nothing of the fault.
  if (failure === undefined) throw new SetupError(`vitest failed without a test that did:\n${output}`)
  return failure
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {Promise<{ failure: string | null | undefined, output: string }>} undefined: it failed, and no test did
 */
function runTests(folder, args) {
  return new Promise((resolve, reject) => {
    const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
    const child = spawn(process.execPath, [vitest, ...args, '--bail=1', '--maxWorkers=1', '--reporter=dot'], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', LB_TEST_PACKETS: '60000' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    let late = false
    const read = (/** @type {Buffer} */ chunk) => (output += chunk.toString())
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    // With all that it started: a fault may keep a worker from ever answering.
    const timer = setTimeout(() => {
      late = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, TIMEOUT_MS)
    child.once('error', reject)
    child.once('close', (status) => {
      clearTimeout(timer)
      if (late) return resolve({ failure: `more than ${TIMEOUT_MS / 1000} s`, output })
      if (status === 0) return resolve({ failure: null, output })
      const name = /^ ?FAIL\s+(.*)$|^(Unhandled \w+):/m.exec(output)
      resolve({ failure: name?.[1]?.trim() ?? name?.[2], output })
    })
  })
}
