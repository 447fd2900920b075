import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apply, ask, config, pins, plan, proxy, raw, targets, useLab, web } from './support/lb.ts'
import { atTerminal } from './support/terminal.ts'

const lab = useLab({})

const generations = () => readdirSync(pins(lab(), 'gen')).sort((a, b) => Number(a) - Number(b))

test('a person is shown the plan, and only yes is a yes', async () => {
  lab().write('lb.yaml', web(lab()))
  for (const answer of ['no', 'y', 'YES', '']) {
    const { code, screen } = await atTerminal(lab(), ['apply'], answer)
    expect({ answer, code }).toEqual({ answer, code: 6 })
    expect(screen).toMatch(/Plan: 6 to add[^]*Do you want to change instance [^]*Only 'yes' is accepted/)
    expect(screen).toContain('not confirmed; nothing was changed')
    expect(existsSync(pins(lab()))).toBe(false)
  }
  const { code, screen } = await atTerminal(lab(), ['apply'], 'yes')
  expect(code).toBe(0)
  expect(screen).toMatch(
    /stage {4}generation 1: [^]*Apply complete: 6 added, 0 changed, 0 destroyed\. Generation 1 serves\./,
  )
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('what was shown is applied, not what the file says by then', async () => {
  lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  const edit = () => lab().write('lb.yaml', web(lab(), [1, 1, 98]))
  const { code, screen } = await atTerminal(lab(), ['apply'], 'yes', edit)
  expect(code).toBe(0)
  expect(screen).toContain('weight = 50')
  expect(await lab().lbMust(['show'])).toMatch(/weight: 50[^]*weight: 30[^]*weight: 20/)
})

test('a state that moves while the question stands makes the plan stale', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const other = lab().write('other.yaml', web(lab(), [20, 30, 50]))
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  const { code, screen } = await atTerminal(lab(), ['apply'], 'yes', () =>
    lab().lbMust(['apply', '--yes', '-c', other]),
  )
  expect(code).toBe(4)
  expect(screen).toMatch(/the plan is stale: [^]*generation 1 → 2, proxy\.web\.target\["10\.0\.0\.11:8080"\]/)
  expect((await raw(lab())).generation).toBe(2)
})

test('without a terminal nothing is asked and nothing changes', async () => {
  lab().write('lb.yaml', web(lab()))
  for (const args of [['apply'], ['apply', '--json']]) {
    const { code, stderr, stdout } = await lab().lbCli(args, { input: 'yes\n' })
    expect({ args, code }).toEqual({ args, code: 3 })
    expect(stdout + stderr).toContain('--yes')
  }
  expect(existsSync(pins(lab()))).toBe(false)
})

test('apply --json gives one document', async () => {
  lab().write('lb.yaml', web(lab()))
  const { confirmation, removals, ...before } = await plan(lab())
  expect([confirmation, removals]).toEqual([null, []])
  const { code, json } = await lab().lbCli(['apply', '--yes', '--json'])
  expect(code).toBe(0)
  expect(json()).toEqual({
    formatVersion: 1,
    instance: lab().instance,
    applied: true,
    dryRun: false,
    generation: 1,
    previousGeneration: 0,
    plan: before,
    confirmation: null,
    removals: [],
  })
  expect((await lab().lbCli(['apply', '--yes', '--json'])).json()).toMatchObject({
    applied: false,
    generation: 1,
    previousGeneration: 1,
    plan: { changes: [] },
  })
})

test('a stale saved plan is refused, naming what moved', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  await lab().lbMust(['plan', '-o', 'change.plan'])
  await apply(lab(), web(lab(), [50, 20, 30]))
  const { code, stdout, stderr } = await lab().lbCli(['apply', 'change.plan', '--yes'])
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
  for (const host of ['12', '13']) expect(stderr).toContain(`proxy.web.target["10.0.0.${host}:8080"]`)
  expect(stderr).not.toContain('10.0.0.11')
  const json = await lab().lbCli(['apply', 'change.plan', '--yes', '--json'])
  expect(json.code).toBe(4)
  expect(json.json()).toMatchObject({ formatVersion: 1, error: { code: 'stale' } })
  expect((await raw(lab())).generation).toBe(2)
})

test('a plan file that was edited, or is none, is refused', async () => {
  lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  await lab().lbMust(['plan', '-o', 'change.plan'])
  const text = readFileSync(join(lab().folder, 'change.plan'), 'utf8')
  lab().write('edited.plan', text.replaceAll('10.0.0.13', '10.0.0.99'))
  lab().write('half.plan', text.slice(0, text.length / 2))
  for (const [name, message] of [
    ['edited.plan', /was changed after lb wrote it/],
    ['half.plan', /not JSON, or only a part of it/],
    ['lb.yaml', /not a plan file/],
    ['missing.plan', /cannot read the plan missing\.plan/],
  ] as const) {
    const { code, stdout, stderr } = await lab().lbCli(['apply', name, '--yes'])
    expect({ name, code, stdout }).toEqual({ name, code: 1, stdout: '' })
    expect(stderr).toMatch(message)
  }
  expect((await lab().lbCli(['apply', 'change.plan', '-c', 'lb.yaml', '--yes'])).code).toBe(3)
  expect(existsSync(pins(lab()))).toBe(false)
})

test('a plan is for its instance only', async () => {
  lab().write('lb.yaml', web(lab()))
  await lab().lbMust(['plan', '-o', 'change.plan'])
  const other = lab().lbCommand(['apply', 'change.plan', '--yes']).slice(0, -1)
  const { code, stderr } = await lab().lb.run([...other, 'test-other'], { cwd: lab().folder })
  expect(code).toBe(1)
  expect(stderr).toContain(`--instance ${lab().instance}`)
})

test('a dry run changes nothing', async () => {
  lab().write('lb.yaml', web(lab()))
  const first = await lab().lbMust(['apply', '--yes', '--dry-run'])
  expect(first).toMatch(/Dry run: everything but the flip succeeded; nothing is applied, as before\./)
  expect(existsSync(pins(lab()))).toBe(false)

  await apply(lab(), web(lab(), [50, 30, 20]))
  const before = await lab().lbMust(['show', '--json'])
  const six = targets(lab().backends, { family: 'ipv6' })
  lab().write('lb.yaml', config([proxy('six', six, { address: '2001:db8:f::10', interfaces: ['back0'] })]))
  const { code, json } = await lab().lbCli(['apply', '--yes', '--dry-run', '--json', '--force'])
  expect(code).toBe(0)
  expect(json()).toMatchObject({ applied: false, dryRun: true, generation: 1 })
  expect(await lab().lbMust(['show', '--json'])).toBe(before)
  expect(generations()).toEqual(['1'])
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('--keep says how many generations stay loaded', async () => {
  for (let port = 81; port < 92; port += 1)
    await apply(lab(), config([proxy('web', targets(lab().backends), { port })]))
  expect(generations()).toEqual(['4', '5', '6', '7', '8', '9', '10', '11'])
  await apply(lab(), web(lab()), ['--keep', '3'])
  expect(generations()).toEqual(['10', '11', '12'])
  await apply(lab(), web(lab(), [50, 30, 20]), ['--keep', '1'])
  expect(generations()).toEqual(['13'])
  for (const keep of ['0', '16', 'x']) expect((await lab().lbCli(['apply', '--keep', keep])).code).toBe(3)
})

test('an apply that would remove many targets needs --force, or a person', async () => {
  const many = Array.from({ length: 20 }, (_, i) => ({ ip: '10.0.0.11', port: 8080 + i }))
  await apply(lab(), config([proxy('web', many)]))
  await apply(lab(), config([proxy('web', many.slice(0, 14))]))
  await apply(lab(), config([proxy('web', many.slice(0, 10))]))
  lab().write('lb.yaml', config([proxy('web', many.slice(0, 6))]))
  const { code, stderr } = await lab().lbCli(['apply', '--yes'])
  expect(code).toBe(6)
  expect(stderr).toMatch(/removes 4 of 10 targets; nothing was changed\n.*--force/)
  expect((await raw(lab())).generation).toBe(3)
  expect((await atTerminal(lab(), ['apply'], 'yes')).code).toBe(0)
  // Fewer than ten targets may go at once.
  await apply(lab(), config([proxy('web', many.slice(0, 1))]))
  await apply(lab(), config([proxy('web', many)]))
  lab().write('lb.yaml', config([]))
  expect((await lab().lbCli(['apply', '--yes'])).code).toBe(6)
  await lab().lbMust(['apply', '--yes', '--force'])
  expect(await lab().lbMust(['show'])).toContain('proxies: []')
})

test('a wrong configuration changes nothing', async () => {
  await apply(lab(), web(lab()))
  const before = await lab().lbMust(['show', '--json'])
  for (const text of [
    '',
    'proxies: 5',
    '{',
    'version: 2',
    JSON.stringify(config([proxy('web', [{ ip: 'b1', port: 1 }])])),
  ]) {
    lab().write('lb.yaml', text)
    const { code, stdout, stderr } = await lab().lbCli(['apply', '--yes'])
    expect({ text, code, stdout }).toEqual({ text, code: 1, stdout: '' })
    expect(stderr).toMatch(/lb\.yaml:1:\d+/)
  }
  expect(await lab().lbMust(['show', '--json'])).toBe(before)
})
