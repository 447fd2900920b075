// @ts-check
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** An expected end, told in its message: what to do stands there, and no stack is printed. */
export class SetupError extends Error {}

/** @typedef {{ env?: Record<string, string> }} Options */

/**
 * Runs a program in the root of the repository with our own terminal, and waits for its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<void>}
 */
export async function exec(command, args, options) {
  const status = await statusOf(command, args, options)
  if (status !== 0) throw new SetupError(`${[command, ...args].join(' ')} failed (${status})`)
}

/**
 * Like `exec`, but gives the exit status instead of failing.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<number>}
 */
export function statusOf(command, args, { env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    })
    // The child cleans up after itself; we stay until it has. Ctrl-C reaches it from the terminal.
    const ignore = () => {}
    const forward = () => void child.kill('SIGTERM')
    process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward)
    const end = () => process.off('SIGINT', ignore).off('SIGTERM', forward).off('SIGHUP', forward)
    child.once('error', (error) => {
      end()
      reject(new SetupError(`${command}: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      end()
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
}

/**
 * The files under `paths` that git tracks, or would, and whose names match.
 * @param {readonly string[]} paths
 * @param {RegExp} [pattern]
 * @returns {string[]}
 */
export function gitFiles(paths, pattern = /./) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths]
  const { stdout, stderr, status } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  // No list is not an empty list: a check of nothing would pass.
  if (status !== 0) throw new SetupError(`git ls-files failed: ${stderr}`)
  return stdout.split('\0').filter((file) => pattern.test(file) && existsSync(join(root, file)))
}

/**
 * Runs a script's main function and makes its outcome the exit status.
 * @param {() => Promise<number | void>} main
 */
export async function script(main) {
  try {
    process.exitCode = (await main()) ?? 0
  } catch (error) {
    console.error(error instanceof SetupError ? `\n${error.message}` : error)
    process.exitCode = 1
  }
}
