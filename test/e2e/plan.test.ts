import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apply, ask, config, pins, plan, proxy, targets, useLab, web, type Plan } from './support/lb.ts'
import { lbAsNobody } from './support/nobody.ts'

const lab = useLab({})

/** Of a plan's JSON, what does not depend on the host. */
const outline = ({ changes }: Plan) => changes.map(({ action, address }) => `${action} ${address}`)

test('a plan from nothing says what would be created, and changes nothing', async () => {
  lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  const { code, stdout, stderr } = await lab().lbCli(['plan'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    / {2}# proxy\.web will be created\n {2}\+ proxy "web" \{\n {6}\+ listen\.interfaces = \["front0"\]/,
  )
  expect(stdout).toMatch(/Plan: 6 to add, 0 to change, 0 to destroy\.\n$/)
  expect(() => statSync(pins(lab()))).toThrow('ENOENT')

  const document = await plan(lab())
  expect(Object.keys(document)).toEqual([
    'formatVersion',
    'instance',
    'live',
    'changes',
    'drift',
    'summary',
    'confirmation',
    'removals',
  ])
  expect(document).toMatchObject({
    formatVersion: 1,
    instance: lab().instance,
    live: { generation: 0, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    drift: [],
    summary: { create: 6, update: 0, delete: 0 },
  })
  expect(outline(document)).toEqual([
    'create proxy.web',
    ...['11', '12', '13'].map((host) => `create proxy.web.target["10.0.0.${host}:8080"]`),
    'create interface.back0',
    'create interface.front0',
  ])
  expect(document.changes[0]).toEqual({
    address: 'proxy.web',
    action: 'create',
    before: null,
    after: {
      listen: { interfaces: ['front0'], address: '203.0.113.10', port: 80, protocol: 'tcp' },
      forwarding: 'nat',
    },
  })
})

test('a plan says exactly what differs', async () => {
  const { backends } = lab()
  const [b1, b2, b3] = targets(backends)
  const before = config(
    [
      {
        ...proxy('web', targets(backends, { weights: [50, 30, 20] })),
        sourceRoutes: [{ source: '192.0.2.0/24', targets: [b1!] }],
      },
      proxy('old', [b1!], { port: 81 }),
    ],
    { settings: { connectionTimeoutSec: 100 } },
  )
  await apply(lab(), before)
  expect((await plan(lab())).changes).toEqual([])
  lab().write(
    'lb.yaml',
    config(
      [
        {
          ...proxy('web', targets(backends, { weights: [10, 70, 20] })),
          sourceRoutes: [{ source: '192.0.2.0/24', targets: [b2!, b3!] }],
        },
        proxy('new', [b1!], { port: 82 }),
      ],
      { settings: { connectionTimeoutSec: 200 } },
    ),
  )
  const document = await plan(lab())
  expect(outline(document)).toEqual([
    'create proxy.new',
    'create proxy.new.target["10.0.0.11:8080"]',
    'update proxy.web.target["10.0.0.11:8080"]',
    'update proxy.web.target["10.0.0.12:8080"]',
    'update proxy.web.sourceRoute["192.0.2.0/24"]',
    'update settings.connectionTimeoutSec',
    'delete proxy.old',
    'delete proxy.old.target["10.0.0.11:8080"]',
  ])
  expect(document.changes[2]).toMatchObject({ before: { weight: 50 }, after: { weight: 10 } })
  expect(document.summary).toEqual({ create: 2, update: 4, delete: 2 })

  const { stdout } = await lab().lbCli(['plan', '--diff'])
  expect(stdout).toMatch(/~ weight = 50 -> 10/)
  expect(stdout).toMatch(/^--- live \(generation 1\)\n\+\+\+ desired\n@@/m)
  expect(stdout).toMatch(/^- +connectionTimeoutSec: 100\n\+ +connectionTimeoutSec: 200$/m)
})

test('--detailed-exitcode tells changes from none', async () => {
  lab().write('lb.yaml', web(lab()))
  expect((await lab().lbCli(['plan'])).code).toBe(0)
  expect((await lab().lbCli(['plan', '--detailed-exitcode'])).code).toBe(2)
  expect((await lab().lbCli(['plan', '--detailed-exitcode', '--json'])).code).toBe(2)
  await lab().lbMust(['apply', '--yes'])
  const { code, stdout } = await lab().lbCli(['plan', '--detailed-exitcode'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^No changes\. The live state matches the configuration\. \(\d+ unchanged hidden\)\n$/,
  )
  lab().write('lb.yaml', 'proxies: 5\n')
  expect((await lab().lbCli(['plan', '--detailed-exitcode'])).code).toBe(1)
})

test('a saved plan is what was shown, for its owner only, and is applied as it is', async () => {
  lab().write('lb.yaml', web(lab()))
  const shown = await lab().lbCli(['plan', '-o', 'change.plan'])
  expect(shown.code).toBe(0)
  expect(shown.stderr).toContain('lb apply change.plan')
  const file = join(lab().folder, 'change.plan')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'lb-plan', formatVersion: 1 })

  // The configuration is not read again.
  lab().write('lb.yaml', 'nonsense: true\n')
  const applied = await lab().lbMust(['apply', 'change.plan', '--yes'])
  expect(applied.startsWith(shown.stdout)).toBe(true)
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('a plan can be made away from the host, by user nobody, against a saved state', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  lab().write('state.json', await lab().lbMust(['show', '--json']))
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  const here = await plan(lab())
  const away = await lbAsNobody(lab(), ['plan', '--against', 'state.json', '--json'])
  expect(away).toMatchObject({ code: 0, stderr: '' })
  expect(away.json()).toEqual(here)
  const human = await lbAsNobody(lab(), ['plan', '--against', 'state.json', '--detailed-exitcode'])
  expect(human).toMatchObject({ code: 2, stdout: await lab().lbMust(['plan']) })

  lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  expect((await lbAsNobody(lab(), ['plan', '--against', 'state.json', '--detailed-exitcode'])).code).toBe(0)
  lab().write('broken.json', '{"formatVersion": 1')
  for (const name of ['broken.json', 'missing.json', 'lb.yaml']) {
    const { code, stdout } = await lbAsNobody(lab(), ['plan', '--against', name])
    expect({ name, code, stdout }).toEqual({ name, code: 1, stdout: '' })
  }
})

test('a plan needs the interfaces of this host', async () => {
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends), { interfaces: ['front9'] })]))
  const { code, stdout, stderr } = await lab().lbCli(['plan'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/front9[^]*\[unknown-interface\][^]*lb\.yaml:\d+:\d+/)
  expect((await lab().lbCli(['apply', '--yes'])).code).toBe(1)
})
