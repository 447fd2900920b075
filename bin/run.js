#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)
const args = process.argv.slice(2)

/** @param {string} file */
const readJson = (file) => JSON.parse(readFileSync(new URL(file, root), 'utf8'))

/**
 * What needs none of our code and takes oclif twice as long as Node.js itself to print: the
 * version, and help that goes to no terminal (whose width and colours would matter).
 */
function knownAnswer() {
  if (args[0] === '--version') {
    const { name, version } = readJson('package.json')
    return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`
  }
  const asksForHelp = args.length === 0 || (args.length <= 2 && args.at(-1) === '--help')
  const { FORCE_COLOR, OCLIF_COLUMNS } = process.env
  if (!asksForHelp || process.stdout.isTTY || FORCE_COLOR || OCLIF_COLUMNS) return undefined
  return readJson('dist/help.json')[args.length === 2 ? args[0] : '']
}

const isBuilt = existsSync(new URL('dist/', root))
const answer = isBuilt ? knownAnswer() : undefined
if (!isBuilt) {
  console.error('lb is not built. In a clone of its repository: npm run build')
  process.exitCode = 1
} else if (answer === undefined) {
  const { main } = await import('../dist/cli/main.js')
  await main(args, fileURLToPath(root))
} else {
  process.stdout.on('error', (error) => {
    // The reader has seen enough, as head does.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error
  })
  process.stdout.write(answer)
}
