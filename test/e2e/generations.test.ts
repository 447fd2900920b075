import { mkdirSync, existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { anyAddress, apply, ask, config, pins, plan, proxy, targets, useLab, web } from './support/lb.ts'
import { atTerminal } from './support/terminal.ts'

/** Generations: rollback, history, show, destroy. */

const lab = useLab({ ipv6: true })

const only = (index: number) => config([proxy('web', targets([lab().backends[index]!]))])

interface History {
  readonly formatVersion: number
  readonly instance: string
  readonly generations: readonly {
    readonly number: number
    readonly active: boolean
    readonly provenance: {
      readonly createdAt: string
      readonly user: string
      readonly sources: readonly string[]
      readonly configHash: string
      readonly summary: object
    }
  }[]
}

const history = async () => (await lab().lbCli(['history', '--json'])).json() as History

test('rollback goes back to the generation that served before, and --to to any that is loaded', async () => {
  for (const index of [0, 1, 2]) await apply(lab(), only(index))
  expect(await ask(lab())).toBe('b3')
  const back = await lab().lbCli(['rollback'])
  expect(back.code).toBe(0)
  expect(back.stdout).toMatch(
    /10\.0\.0\.12:8080[^]*Generation 2 serves\. `lb rollback --to 3` takes this back\.\n$/,
  )
  expect(await ask(lab())).toBe('b2')
  await lab().lbMust(['rollback', '--to', '3'])
  expect(await ask(lab())).toBe('b3')
  const { code, json } = await lab().lbCli(['rollback', '--to', '1', '--json'])
  expect(code).toBe(0)
  expect(json()).toMatchObject({ formatVersion: 1, instance: lab().instance, from: 3, to: 1 })
  expect(await ask(lab())).toBe('b1')
  expect((await history()).generations.map(({ number, active }) => [number, active])).toEqual([
    [1, true],
    [2, false],
    [3, false],
  ])
  // The file still says the third: that is what the next plan is about.
  expect((await plan(lab())).summary).toEqual({ create: 1, update: 0, delete: 1 })
  expect(await apply(lab(), only(2))).toContain(
    'Generation 4 serves. `lb rollback` goes back to generation 1.',
  )
  await lab().lbMust(['rollback'])
  expect(await ask(lab())).toBe('b1')
})

test('rollback to what is not loaded changes nothing', async () => {
  const nothing = await lab().lbCli(['rollback'])
  expect(nothing).toMatchObject({ code: 1, stdout: '' })
  expect(nothing.stderr).toContain(`nothing is applied on instance ${lab().instance}`)
  expect(existsSync(pins(lab()))).toBe(false)

  await apply(lab(), only(0))
  for (const [args, message] of [
    [['rollback'], /nothing served before/],
    [['rollback', '--to', '7'], /7 is no(t| longer) loaded[^]*loaded: 1/],
    [['rollback', '--to', '1'], /1 serves already/],
  ] as const) {
    const { code, stdout, stderr } = await lab().lbCli(args)
    expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' })
    expect(stderr).toMatch(message)
  }
  expect(await ask(lab())).toBe('b1')
})

test('history says when, who, from which files and what', async () => {
  expect(await lab().lbMust(['history'])).toBe('Nothing is applied.\n')
  await apply(lab(), only(0))
  const other = lab().write('other.json', only(1))
  const before = Date.now()
  await lab().lbMust(['apply', '--yes', '-c', other], { env: { SUDO_USER: 'alice' } })
  const document = await history()
  expect(document).toMatchObject({ formatVersion: 1, instance: lab().instance })
  const [first, second] = document.generations.map(({ provenance }) => provenance)
  expect(first).toMatchObject({
    user: 'root',
    sources: ['lb.yaml'],
    summary: { create: 4, update: 0, delete: 0 },
  })
  expect(second).toMatchObject({
    user: 'alice',
    sources: [other],
    summary: { create: 1, update: 0, delete: 1 },
  })
  expect(first!.configHash).not.toBe(second!.configHash)
  const when = Date.parse(second!.createdAt)
  expect(when).toBeGreaterThanOrEqual(before - 1000)
  expect(when).toBeLessThanOrEqual(Date.now())
  const lines = (await lab().lbMust(['history'])).trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[2]).toMatch(/^\* {2}2 +\S+ +alice +\+1 ~0 -1 +[0-9a-f]{12} +.*other\.json$/)
})

test('show is the configuration: the same each time, and a plan of it finds nothing', async () => {
  const { backends } = lab()
  const six = targets(backends, { family: 'ipv6', weights: [1, 98, 1] })
  const [b1, b2] = targets(backends)
  await apply(
    lab(),
    config(
      [
        proxy('zebra.v6', six, { address: '2001:db8:f::10' }),
        { ...proxy('web', [b1!, b2!]), sourceRoutes: [{ source: '192.0.2.0/24', targets: [b2!] }] },
        anyAddress(proxy('any', [b2!], { port: 53, protocol: 'udp' })),
      ],
      { settings: { connectionTimeoutSec: 77 }, interfaces: { front0: { attach: 'tcx' } } },
    ),
  )
  const shown = await lab().lbMust(['show'])
  expect(await lab().lbMust(['show'])).toBe(shown)
  const piped = await lab().lbCli(['plan', '-c', '-', '--detailed-exitcode'], { input: shown })
  expect(piped).toMatchObject({ code: 0, stdout: expect.stringContaining('No changes.') as string })
  const applied = await lab().lbCli(['apply', '-c', '-', '--yes'], { input: shown })
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('No changes.') as string })
  // Made again from its own text, it is the same text.
  await lab().lbMust(['destroy', '--yes'])
  lab().write('shown.yaml', shown)
  await lab().lbMust(['apply', '-c', 'shown.yaml', '--yes'])
  expect(await lab().lbMust(['show'])).toBe(shown)
  expect(shown).toMatch(/connectionTimeoutSec: 77/)
})

test('show --json and --raw are documents', async () => {
  expect((await lab().lbCli(['show', '--json'])).json()).toMatchObject({ formatVersion: 1, generation: 0 })
  await apply(lab(), web(lab(), [50, 30, 20]))
  const text = await lab().lbMust(['show', '--json'])
  expect(await lab().lbMust(['show', '--json'])).toBe(text)
  expect(JSON.parse(text)).toMatchObject({
    formatVersion: 1,
    instance: lab().instance,
    generation: 1,
    drift: [],
    config: { proxies: [{ name: 'web', defaultTarget: [{ weight: 50 }, { weight: 30 }, { weight: 20 }] }] },
  })
  await ask(lab())
  for (const args of [
    ['show', '--raw'],
    ['show', '--raw', '--json'],
  ]) {
    const raw = (await lab().lbCli(args)).json() as { tables: Record<string, unknown[]>; backends: object }
    expect(raw).toMatchObject({ formatVersion: 1, generation: 1 })
    expect(raw.tables['selection']).toHaveLength(100)
    expect(Object.keys(raw.backends).sort()).toEqual([11, 12, 13].map((host) => `10.0.0.${host}:8080/tcp`))
  }
})

test('destroy asks, then leaves nothing', async () => {
  await apply(lab(), web(lab()))
  const no = await atTerminal(lab(), ['destroy'], 'no')
  expect(no.code).toBe(6)
  expect(no.screen).toMatch(/proxy\.web will be destroyed[^]*Plan: 0 to add, 0 to change, 6 to destroy/)
  expect((await lab().lbCli(['destroy'])).code).toBe(3)
  expect((await lab().lbCli(['destroy', '--json'])).code).toBe(3)
  expect(await ask(lab())).toMatch(/^b[123]$/)

  const yes = await atTerminal(lab(), ['destroy'], 'yes')
  expect(yes.code).toBe(0)
  expect(existsSync(pins(lab()))).toBe(false)
  expect((await lab().client.curl('http://203.0.113.10/')).code).toBe(7)
  expect(await lab().lb.exec(['bpftool', 'net'])).not.toMatch(/lb_(tc|xdp)/)

  expect(await lab().lbMust(['destroy', '--yes'])).toBe(
    `Nothing to destroy: there is no instance ${lab().instance}.\n`,
  )
  expect((await lab().lbCli(['destroy', '--json'])).json()).toMatchObject({
    formatVersion: 1,
    destroyed: false,
  })
})

test('destroy removes a damaged instance too', async () => {
  for (const missing of ['meta', 'active', 'tables', 'gen', 'prog', 'link']) {
    await apply(lab(), web(lab()))
    await lab().lb.exec(['rm', '-r', pins(lab(), missing)])
    const { code, json } = await lab().lbCli(['destroy', '--yes', '--json'])
    expect({ missing, code }).toEqual({ missing, code: 0 })
    expect(json()).toMatchObject({ destroyed: true })
    expect(existsSync(pins(lab()))).toBe(false)
  }
  mkdirSync(pins(lab()), { recursive: true })
  await lab().lbMust(['destroy', '--yes'])
  expect(existsSync(pins(lab()))).toBe(false)
  await apply(lab(), web(lab()))
  expect(await ask(lab())).toMatch(/^b[123]$/)
})
