import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/lab/run.ts'
import { proxy, useLab } from './support/lb.ts'
import { lbAsNobody } from './support/nobody.ts'

/** What needs no load balancer: init, schema, validate, and where configuration comes from. */

const lab = useLab({ backends: 1 })

const good = { version: 1, proxies: [proxy('web', [{ ip: '10.0.0.11', port: 8080 }])] }

/** Five mistakes, one of them between two files. */
const bad = `version: 1
proxies:
  - name: web
    listen: { interfaces: [front0], port: 99999, prot: tcp }
    defaultTarget: { ip: 10.0.0.300, port: 8080 }
  - name: api
    listen: { interfaces: [front0], port: 80 }
    defaultTarget:
      - { ip: 10.0.0.3, port: 8080, weight: 50 }
      - { ip: 10.0.0.4, port: 8080, weight: 40 }
`
const other = `proxies:
  - name: web
    listen: { interfaces: [front0], port: 82 }
    defaultTarget: { ip: 10.0.0.3, port: 8080 }
`
const rules = ['out-of-range', 'unknown-key', 'invalid-address', 'weight-sum', 'duplicate-name']

interface Document {
  readonly formatVersion: number
  readonly valid: boolean
  readonly errorCount: number
  readonly warningCount: number
  readonly diagnostics: readonly {
    readonly rule: string
    readonly range: { readonly filename: string; readonly start: { readonly line: number } }
  }[]
}

test('init writes a file that is valid, beside its schema, and refuses to write over it', async () => {
  const first = await lab().lbCli(['init', 'new.yaml'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain('new.yaml and lb.schema.json')
  expect(await lab().lbMust(['validate', '-c', 'new.yaml'])).toBe('Valid: one file, no problems.\n')
  const schema = readFileSync(join(root, 'schema/lb.schema.json'), 'utf8')
  expect(readFileSync(join(lab().folder, 'lb.schema.json'), 'utf8')).toBe(schema)
  expect(await lab().lbMust(['schema'])).toBe(schema)

  lab().write('new.yaml', '# mine\n')
  const again = await lab().lbCli(['init', 'new.yaml'])
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toMatch(/new\.yaml is there already; nothing was written\n.*--force/)
  expect(readFileSync(join(lab().folder, 'new.yaml'), 'utf8')).toBe('# mine\n')
  await lab().lbMust(['init', 'new.yaml', '--force'])
  expect(readFileSync(join(lab().folder, 'new.yaml'), 'utf8')).toContain('proxies:')
  const nowhere = await lab().lbCli(['init', 'no/such/folder.yaml'])
  expect(nowhere).toMatchObject({ code: 1, stdout: '' })
})

test('validate reports everything that is wrong at once, with file, line and column', async () => {
  lab().write('bad.yaml', bad)
  lab().write('other.yaml', other)
  const args = ['validate', '-c', 'bad.yaml', '-c', 'other.yaml']
  const human = await lab().lbCli(args)
  expect(human).toMatchObject({ code: 1, stderr: '' })
  for (const rule of rules) expect(human.stdout).toContain(`[${rule}]`)
  for (const place of ['bad.yaml:4:43', 'bad.yaml:4:50', 'bad.yaml:5:26', 'other.yaml:2:11']) {
    expect(human.stdout).toContain(`--> ${place}\n`)
  }
  expect(human.stdout).toContain('bad.yaml:3:11: it is defined here')
  expect(human.stdout).toMatch(/The configuration is not valid: 5 errors\.\n$/)

  const json = await lab().lbCli([...args, '--json'])
  expect(json).toMatchObject({ code: 1, stderr: '' })
  const document = json.json() as Document
  expect(document).toMatchObject({ formatVersion: 1, valid: false, errorCount: 5, warningCount: 0 })
  expect(document.diagnostics.map(({ rule }) => rule).sort()).toEqual([...rules].sort())
  expect((await lab().lbCli([...args, '--format', 'json'])).json()).toEqual(document)
})

test('validate speaks the languages of code review', async () => {
  lab().write('bad.yaml', bad)
  const github = await lab().lbCli(['validate', '-c', 'bad.yaml', '--format', 'github'])
  expect(github.code).toBe(1)
  const lines = github.stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(4)
  for (const line of lines) expect(line).toMatch(/^::error file=bad\.yaml,line=\d+,endLine=\d+,col=\d+,/)

  const sarif = await lab().lbCli(['validate', '-c', 'bad.yaml', '--format', 'sarif'])
  expect(sarif.code).toBe(1)
  const log = sarif.json() as { version: string; runs: { results: { ruleId: string }[] }[] }
  expect(log.version).toBe('2.1.0')
  expect(log.runs[0]!.results.map(({ ruleId }) => ruleId)).toEqual(
    expect.arrayContaining(rules.filter((rule) => rule !== 'duplicate-name')),
  )
  expect((await lab().lbCli(['validate', '--format', 'xml'])).code).toBe(3)
})

test('validate says nothing is wrong in every format', async () => {
  lab().write('lb.yaml', good)
  expect((await lab().lbCli(['validate', '--format', 'github'])).stdout.trim()).toBe('')
  const json = (await lab().lbCli(['validate', '--json'])).json()
  expect(json).toEqual({ formatVersion: 1, valid: true, errorCount: 0, warningCount: 0, diagnostics: [] })
  const sarif = (await lab().lbCli(['validate', '--format', 'sarif'])).json()
  expect(sarif).toMatchObject({ runs: [{ results: [] }] })
})

test('validate --host knows the interfaces of this host', async () => {
  lab().write('lb.yaml', { ...good, interfaces: { front7: { attach: 'tcx' } } })
  await lab().lbMust(['validate'])
  const { code, stdout } = await lab().lbCli(['validate', '--host'])
  expect(code).toBe(1)
  expect(stdout).toContain('[unknown-interface]')
  expect(stdout).toContain('front7')
  lab().write('lb.yaml', good)
  await lab().lbMust(['validate', '--host'])
})

test('user nobody can validate, and read help and schema', async () => {
  const input = JSON.stringify(good)
  for (const args of [
    ['validate', '-c', '-'],
    ['validate', '-c', '-', '--host'],
    ['schema'],
    ['apply', '--help'],
  ]) {
    const { code, stderr } = await lbAsNobody(lab(), args, input)
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  }
  const { code, stdout } = await lbAsNobody(lab(), ['validate', '-c', '-'], bad)
  expect(code).toBe(1)
  expect(stdout).toContain('<stdin>:4:43')
})

test('configuration comes from -c, else LB_CONFIG, else lb.yaml', async () => {
  const names = async (args: readonly string[], env = {}, input = '') => {
    // Names only what differs: which file was read shows in what is wrong with it.
    const outcome = await lab().lbCli(['validate', ...args, '--json'], { env, input })
    const { diagnostics } = outcome.json() as Document
    return diagnostics.map(({ range }) => range.filename)
  }
  const wrong = 'proxies: 5\n'
  for (const name of ['lb.yaml', 'env.yaml', 'given.yaml']) lab().write(name, wrong)
  mkdirSync(join(lab().folder, 'conf.d/nested'), { recursive: true })
  for (const name of ['20.yml', '10.json', '.hidden.yaml', 'notes.txt', 'nested/30.yaml']) {
    lab().write(`conf.d/${name}`, name.endsWith('.json') ? '{ "proxies": 5 }' : wrong)
  }
  expect(await names([])).toEqual(['lb.yaml'])
  expect(await names([], { LB_CONFIG: 'env.yaml' })).toEqual(['env.yaml'])
  expect(await names(['-c', 'given.yaml'], { LB_CONFIG: 'env.yaml' })).toEqual(['given.yaml'])
  expect(await names(['-c', '-'], {}, wrong)).toEqual(['<stdin>'])
  expect(await names(['-c', 'given.yaml', '-c', 'conf.d'])).toEqual([
    'given.yaml',
    'conf.d/10.json',
    'conf.d/20.yml',
  ])
})

test('a file that cannot be read is an error that names it', async () => {
  for (const [args, message] of [
    [['-c', 'missing.yaml'], /cannot read missing\.yaml: there is no such file/],
    [['-c', 'new.txt'], /new\.txt: cannot tell its format/],
    [['-c', 'empty.d'], /folder empty\.d has no configuration files/],
  ] as const) {
    lab().write('new.txt', '')
    mkdirSync(join(lab().folder, 'empty.d'), { recursive: true })
    const { code, stdout, stderr } = await lab().lbCli(['validate', ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
  }
  const { code, stderr } = await lab().lbCli(['plan'], { cwd: '/', env: { LB_CONFIG: '' } })
  expect(code).toBe(1)
  expect(stderr).toMatch(/cannot read lb\.yaml.*\n.*`lb init` writes one/)
})
