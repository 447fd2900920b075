import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, run } from '../support/lab/run.ts'
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

test.for([['nope'], ['nope', '--help'], ['aply', '-y']])('lb %j is wrong usage', async (args) => {
  const { code, stdout, stderr } = await lb(args)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(args[0] === 'aply' ? /did you mean `lb apply`/ : /there is no command 'nope'/)
})
