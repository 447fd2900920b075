// @ts-check
/** Prepares the clone and runs every check that is not a test. All of them run, whichever fails. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gitFiles, root, script, statusOf } from './setup/exec.mjs'

/** @param {string} tool */
const bin = (tool) => join('node_modules/.bin', tool)

/** @param {string} file */
function isShellScript(file) {
  if (file.endsWith('.sh')) return true
  return (
    !/\.[a-z]+$/.test(file) &&
    /^#!.*\b(ba|da)?sh\b/.test(readFileSync(join(root, file), 'latin1').slice(0, 64))
  )
}

/** Notes to self, and tests that are switched off or hide the others. Written so as not to find itself. */
const leftovers = String.raw`\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b|\.(on[l]y|ski[p]|tod[o])(\.each)?\(`

async function noLeftovers() {
  const args = ['grep', '--untracked', '-nIE', leftovers, '--', ':!package-lock.json']
  const status = await statusOf('git', args)
  // git grep: 0 found something, 1 found nothing.
  return status === 1 ? 0 : 1
}

const cSource = /[.](c|cc|h)$/
const cFiles = () => gitFiles(['bpf', 'native', 'test', 'bench'], cSource)
const layered = () =>
  ['src', 'native/index.ts', 'bin', 'test', 'bench'].filter((path) => existsSync(join(root, path)))

/** @type {readonly { name: string, run: () => Promise<number> }[]} */
const checks = [
  { name: 'format', run: () => statusOf(bin('prettier'), ['--check', '--log-level=warn', '.']) },
  { name: 'types', run: () => statusOf(bin('tsc'), ['--noEmit']) },
  { name: 'lint', run: () => statusOf(bin('eslint'), ['.']) },
  { name: 'layers', run: () => statusOf(bin('depcruise'), layered()) },
  { name: 'format of C', run: () => statusOf('clang-format', ['--dry-run', '-Werror', ...cFiles()]) },
  { name: 'shell scripts', run: () => statusOf('shellcheck', gitFiles(['.']).filter(isShellScript)) },
  { name: 'generated docs', run: () => statusOf(process.execPath, ['scripts/generate-docs.mjs', '--check']) },
  { name: 'leftovers', run: noLeftovers },
]

await script(async () => {
  const ready = await statusOf(process.execPath, ['scripts/setup.mjs', '--test'])
  if (ready !== 0) return ready
  const failed = []
  for (const { name, run } of checks) {
    const started = performance.now()
    const status = await run()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)`)
    if (status !== 0) failed.push(name)
  }
  if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
})
