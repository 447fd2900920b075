import { expect, test } from 'vitest'
import { useLab, web, apply } from './support/lb.ts'

/** What all commands have in common. */

const lab = useLab({ backends: 1 })

const commands = [
  'apply',
  'destroy',
  'doctor',
  'history',
  'init',
  'plan',
  'rollback',
  'schema',
  'show',
  'validate',
]

test('help lists every command, and each has an example', async () => {
  const all = await lab().lbMust(['--help'])
  for (const command of commands) {
    expect(all).toMatch(new RegExp(`^ {2}${command} +[A-Z]`, 'm'))
    const help = await lab().lbMust([command, '--help'])
    expect(help).toMatch(new RegExp(`^EXAMPLES\\n {2}\\$ lb ${command}`, 'm'))
    expect(help).toContain('--json')
    expect(help).toContain('--instance=NAME')
  }
  expect(await lab().lbMust(['--version'])).toMatch(/^lb\/\d+\.\d+\.\d+ /)
})

test.for([
  [['aply'], /no command 'aply'\n.*did you mean `lb apply`/],
  [['frobnicate'], /no command 'frobnicate'/],
  [['plan', '--nope'], /--nope/],
  [['plan', 'extra'], /extra/],
  [['apply', 'a.plan', 'b.plan'], /b\.plan/],
  [['apply', '--keep', 'many'], /many/],
  [['apply', '--keep', '99'], /99/],
  [['rollback', '--to', '0'], /0/],
  [['rollback', '--to'], /--to/],
  [['validate', '--format', 'xml'], /xml/],
  [['plan', '-o', 'x.plan', '--against', 'state.json'], /--out.*--against/],
  [['show', '--instance', '../etc'], /'\.\.\/etc': a name is letters, digits/],
  [['show', '--instance', ''], /a name is letters, digits/],
] as const)('%j is wrong usage', async ([args, message]) => {
  const argv = [...lab().lbCommand([]), ...args]
  const { code, stdout, stderr } = await lab().lb.run(argv, { cwd: lab().folder })
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr.split('\n').length).toBeLessThan(6)
  if (args[0] === 'aply' || args[0] === 'frobnicate') return
  const json = await lab().lb.run([...argv, '--json'], { cwd: lab().folder })
  expect(json).toMatchObject({ code: 3, stderr: '' })
  expect(JSON.parse(json.stdout)).toMatchObject({ formatVersion: 1, error: { code: 'usage' } })
})

test('--json is one document on stdout, whatever happens', async () => {
  await apply(lab(), web(lab()))
  for (const [args, expected] of [
    [['validate'], 0],
    [['plan'], 0],
    [['plan', '--diff'], 0],
    [['apply', '--yes'], 0],
    [['history'], 0],
    [['show'], 0],
    [['doctor'], 0],
    [['schema'], 0],
    [['init', 'fresh.yaml'], 0],
    [['init', 'fresh.yaml'], 1],
    [['plan', '-c', 'missing.yaml'], 1],
    [['rollback'], 1],
    [['apply'], 0],
    [['destroy'], 3],
    [['destroy', '--yes'], 0],
    [['rollback'], 1],
  ] as const) {
    const { code, stdout } = await lab().lbCli([...args, '--json'])
    expect({ args, code }).toEqual({ args, code: expected })
    const document = JSON.parse(stdout) as { formatVersion?: number }
    if (args[0] !== 'schema') expect(document.formatVersion).toBe(1)
  }
})

test('colour is for terminals, results for stdout', async () => {
  lab().write('lb.yaml', web(lab()))
  const { stdout, stderr } = await lab().lbCli(['apply', '--yes'], { env: { TERM: 'xterm-256color' } })
  expect(stdout + stderr).not.toContain('\x1b')
  expect(stdout).not.toMatch(/^stage/m)
  expect(stderr).toMatch(/^stage {4}generation 1/m)
})
