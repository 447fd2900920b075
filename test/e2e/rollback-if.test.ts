import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import { watch, daemonEnv } from './support/daemon.ts'
import { guardsOf } from './support/guards.ts'
import { apply, ask, config, pins, proxy, raw, targets, useLab, type Config } from './support/lb.ts'
import { until } from './support/until.ts'
import { existsSync } from 'node:fs'

/** `lb apply --rollback-if`: a new generation goes where its targets turn out sick. */

const lab = useLab({ backends: 2 })
const service = { address: vip.ipv4, port: 80 }
/** Where nothing listens. */
const DEAD = 4444

const checks = {
  healthCheckEnabled: true,
  healthCheckDefaults: { type: 'tcp', intervalMs: 1000, timeoutMs: 500, unhealthyThreshold: 1 },
}
const checked = (port?: number): Config =>
  config([proxy('web', targets([lab().backends[0]!], port === undefined ? {} : { port }))], {
    settings: checks as never,
  })
const both = (): Config =>
  config(
    [proxy('web', [...targets([lab().backends[0]!]), ...targets([lab().backends[1]!], { port: DEAD })])],
    { settings: checks as never },
  )
const env = () => ({ env: daemonEnv(lab()) })
const serving = async (): Promise<number> => (await raw(lab())).generation

test('targets that turn out sick: it goes back, names them, and exits with 7', async () => {
  lab().write('lb.yaml', checked())
  await using _daemon = await watch(lab(), ['--approve', 'manual'])
  await apply(lab(), checked(), [], env())
  await using traffic = await lab().client.startTraffic(service)
  await traffic.passed(20)
  lab().write('lb.yaml', both())
  const args = ['apply', '--yes', '--rollback-if', 'healthy <= 50%', '--watch-for', '20s']
  const { code, stderr } = await lab().lbCli(args, env())
  const sick = `web ${lab().backends[1]!.address.ipv4}:${DEAD}`
  expect({ code, stderr }).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(
      `went back from generation 2: healthy <= 50% \\(1 of 2 targets healthy\\): ${sick}; generation 1 serves`,
    ) as unknown,
  })
  expect(await serving()).toBe(1)
  expect(existsSync(pins(lab(), 'confirm'))).toBe(false)
  expect(await ask(lab())).toBe('b1')
  // Requests that were sent to the sick one in between have failed: they are what is gone back for.
  await traffic.passed(50)
  const { total } = await traffic.stop()
  expect(total).toBeGreaterThan(70)
  await until('the guard ends', () => guardsOf(lab()).length === 0)
})

test('targets that are well: it stays, and nothing is left to confirm', async () => {
  lab().write('lb.yaml', checked())
  await using _daemon = await watch(lab(), ['--approve', 'manual'])
  await apply(lab(), checked(), [], env())
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends))], { settings: checks as never }))
  const args = ['--rollback-if', 'healthy < 100%', '--rollback-if', 'errors > 0', '--watch-for', '2s']
  const { code, stdout } = await lab().lbCli(['apply', '--yes', '--json', ...args], env())
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
    code: 0,
    generation: 2,
    confirmation: null,
  })
  expect(existsSync(pins(lab(), 'confirm'))).toBe(false)
})

test('errors that the data plane counts need no daemon', async () => {
  await apply(lab(), config([proxy('web', targets([lab().backends[0]!]))]))
  await using traffic = await lab().client.startTraffic({ ...service, concurrency: 2 })
  await traffic.passed(20)
  lab().write('lb.yaml', config([proxy('web', targets([lab().backends[1]!], { port: DEAD }))]))
  const args = ['apply', '--yes', '--rollback-if', 'errors > 5%', '--watch-for', '20s']
  const { code, stderr } = await lab().lbCli(args, env())
  const backend = `${lab().backends[1]!.address.ipv4}:${DEAD}/tcp`
  expect({ code, stderr }).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(
      `errors > 5% \\(\\d+ of \\d+ requests failed\\): ${backend} \\(\\d+\\); generation 1 serves`,
    ) as unknown,
  })
  expect(await ask(lab())).toBe('b1')
})

test('refused by name, before anything is changed, where nobody would find out', async () => {
  await apply(lab(), checked())
  lab().write('lb.yaml', both())
  const refuse = async (condition: string): Promise<string> => {
    const { code, stderr } = await lab().lbCli(['apply', '--yes', '--rollback-if', condition], env())
    expect({ condition, code, generation: await serving() }).toEqual({ condition, code: 6, generation: 1 })
    return stderr
  }
  expect(await refuse('healthy < 50%')).toMatch(
    /no daemon checks the targets; nothing was changed\n.*lb watch/,
  )
  expect(await refuse('healthy < 3')).toContain("'healthy < 3' is so with all of 2 targets healthy")
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends))]))
  expect(await refuse('healthy < 50%')).toContain('no target of the plan is checked')
  for (const args of [
    ['--watch-for', '3s'],
    ['--rollback-if', 'healthy > 1'],
    ['--confirm-within', '60'],
  ]) {
    expect(await lab().lbCli(['apply', '--yes', ...args], env())).toMatchObject({ code: 3 })
  }
})

test('whoever watches is killed: it goes back', async () => {
  await apply(lab(), config([proxy('web', targets([lab().backends[0]!]))]))
  lab().write('lb.yaml', config([proxy('web', targets([lab().backends[1]!]))]))
  const words = ['apply', '--yes', '--rollback-if', 'errors > 5%', '--watch-for', '3s']
  const child = lab().lb.spawn(lab().lbCommand(words), { cwd: lab().folder })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until('it watches', () => said.includes('Watching 1 target for 3 s: errors > 5%'))
  child.kill('SIGKILL')
  expect(await lab().lbMust(['history'])).toMatch(/Generation 2 is being watched until .*: where its targets/)
  await until('generation 1 serves again', async () => (await serving()) === 1 || undefined, 30_000)
})

test('with --confirm-within both hold', async () => {
  await apply(lab(), config([proxy('web', targets([lab().backends[0]!]))]))
  lab().write('lb.yaml', config([proxy('web', targets([lab().backends[1]!]))]))
  const args = [
    'apply',
    '--yes',
    '--rollback-if',
    'errors > 5%',
    '--watch-for',
    '1s',
    '--confirm-within',
    '4s',
  ]
  expect(await lab().lbMust(args)).toMatch(/Generation 2 waits for `lb confirm`/)
  await until('generation 1 serves again', async () => (await serving()) === 1 || undefined)
  // Not confirmed while it watches: it is taken back under its eyes.
  const long = [
    'apply',
    '--yes',
    '--rollback-if',
    'errors > 5%',
    '--watch-for',
    '30s',
    '--confirm-within',
    '1s',
  ]
  const { code, stderr } = await lab().lbCli(long)
  expect({ code, stderr }).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(/generation 3 was taken back .*; generation 1 serves/) as unknown,
  })
})
