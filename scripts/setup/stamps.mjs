// @ts-check
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './exec.mjs'

/**
 * What each build step was last made from: a hash of its inputs, and the files that came out.
 * Contents are compared and not times, so that a checkout of another commit, or a file that is
 * gone, is seen.
 * @typedef {{ inputs: string, outputs: string[] }} Stamp
 */

const stampFile = join(root, 'build/stamps.json')

/** @returns {Record<string, Stamp>} */
function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return {}
  }
}

/**
 * The files at and under `paths`, sorted, leaving out the addon's build folder.
 * @param {readonly string[]} paths
 * @returns {string[]}
 */
export function filesUnder(paths) {
  return paths.flatMap((path) => {
    const stats = statSync(join(root, path), { throwIfNoEntry: false })
    if (stats === undefined) return []
    if (stats.isFile()) return [path]
    const names = readdirSync(join(root, path)).sort()
    return filesUnder(names.filter((name) => name !== 'build').map((name) => join(path, name)))
  })
}

/**
 * @param {readonly string[]} files
 * @param {string} [extra] more that the outcome depends on
 */
export function hashOf(files, extra = '') {
  const hash = createHash('sha256').update(extra)
  for (const file of files) {
    hash.update(`\0${file}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest(),
    )
  }
  return hash.digest('hex')
}

/**
 * @param {string} step
 * @param {string} inputs
 */
export function isCurrent(step, inputs) {
  const stamp = readStamps()[step]
  return stamp?.inputs === inputs && stamp.outputs.every((file) => existsSync(join(root, file)))
}

/**
 * @param {string} step
 * @param {string} inputs
 * @param {string[]} outputs
 */
export function remember(step, inputs, outputs) {
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, JSON.stringify({ ...readStamps(), [step]: { inputs, outputs } }, null, 1))
}
