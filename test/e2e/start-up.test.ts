import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mustRun, root, run } from '../support/lab/run.ts'
import { lbEnv } from '../support/netns.ts'

const program = join(root, 'bin/run.js')
const lb = (args: readonly string[]) => run([process.execPath, program, ...args], { env: lbEnv })
const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, unknown>
}

test('help that was rendered when lb was built is what oclif renders', async () => {
  const commands = Object.keys(manifest.commands)
  expect(commands).toContain('apply')
  for (const args of [[], ...commands.map((command) => [command])]) {
    const known = await lb([...args, '--help'])
    // Said twice, the flag means the same, and is not among the known answers.
    const rendered = await lb([...args, '--help', '--help'])
    expect(known).toEqual(rendered)
    expect(known).toMatchObject({ code: 0, stderr: '' })
  }
  expect(await lb([])).toEqual(await lb(['--help']))
})

test('the version is what oclif prints', async () => {
  const { stdout } = await lb(['--version'])
  const [, viaOclif] = /VERSION\n {2}(.*)\n/.exec((await lb(['--help', '--help'])).stdout) ?? []
  expect(stdout).toBe(`${viaOclif!}\n`)
})

/** The least CPU time of several runs, in milliseconds: the one that was disturbed least. */
async function cpuTime(args: readonly string[]): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 9; i += 1) {
    const timed = ['bash', '-c', 'TIMEFORMAT="%U %S"; { time "$@" > /dev/null; } 2>&1', '', process.execPath]
    const seconds = (await mustRun([...timed, ...args], { env: lbEnv })).trim().split(' ').map(Number)
    times.push(1000 * (seconds[0]! + seconds[1]!))
  }
  return Math.min(...times)
}

test.for(['--version', '--help', 'plan --help'])(
  'lb %s takes at most twice the time of Node.js doing nothing',
  async (args) => {
    expect(await cpuTime([program, ...args.split(' ')])).toBeLessThanOrEqual(2 * (await cpuTime(['-e', '0'])))
  },
)
