import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { StatusDocument } from '../../src/engine/model/status.ts'
import { vip } from '../support/lab/topology.ts'
import { daemonEnv, watch } from './support/daemon.ts'
import { apply, ask, config, proxy, raw, targets, useLab, type Target } from './support/lb.ts'
import { until } from './support/until.ts'

/** `lb rollout`: targets are replaced in batches, with traffic that notices nothing. */

const lab = useLab({ backends: 4 })
const service = { address: vip.ipv4, port: 80 }
const DEAD = 4444

const some = (...indices: number[]): Target[] => targets(indices.map((i) => lab().backends[i]!))
const web = (...indices: number[]) => config([proxy('web', some(...indices))])
interface Times {
  readonly interval?: string
  readonly health?: string
}
const rollOut = (list: readonly Target[], { interval = '0s', health = '2s' }: Times = {}): string[] => {
  const times = ['--interval', interval, '--drain-timeout', '1s', '--health-timeout', health]
  return ['rollout', 'web', '--to', lab().write('targets.yaml', list), '--yes', ...times]
}

interface Shown {
  readonly deployment: {
    readonly snapshot: { readonly proxies: readonly { readonly defaultTarget: readonly Target[] }[] }
  }
}
const serving = async (): Promise<string[]> => {
  const { deployment } = JSON.parse(await lab().lbMust(['show', '--json'])) as Shown
  return deployment.snapshot.proxies[0]!.defaultTarget.map(({ ip }) => ip)
}
const addresses = (list: readonly Target[]): string[] => list.map(({ ip }) => ip).sort()
/** Drains of any kind, of targets that serve. */
const drains = async (): Promise<string[]> => {
  const { proxies } = JSON.parse(await lab().lbMust(['status', '--json'])) as StatusDocument
  return proxies
    .flatMap(({ targets: all }) => all.map(({ drain }) => drain.state))
    .filter((state) => state !== 'none')
}

test('two targets give way to two others, in batches, and no request fails', async () => {
  await apply(lab(), web(0, 1))
  await using traffic = await lab().client.startTraffic({ ...service, concurrency: 2 })
  await traffic.passed(20)
  const stdout = await lab().lbMust([...rollOut(some(2, 3)), '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ proxy: 'web', resumed: false, rolledOut: true, generation: 3 })
  expect((JSON.parse(stdout) as { batches: unknown[] }).batches).toHaveLength(2)
  await traffic.passed(50)
  expect((await traffic.stop()).failures).toEqual([])
  const { failures, byBackend } = await lab().client.requests({ ...service, count: 40 })
  expect(failures).toEqual([])
  expect(Object.keys(byBackend).sort()).toEqual(['b3', 'b4'])
  expect(await lab().lbMust([...rollOut(some(2, 3))])).toMatch(/^Nothing to roll out/)
  // What serves before is not drained any more: going back to it goes back to what it was.
  await lab().lbMust(['rollback', '--to', '1'])
  const back = await lab().client.requests({ ...service, count: 40 })
  expect(Object.keys(back.byBackend).sort()).toEqual(['b1', 'b2'])
  expect(await drains()).toEqual([])
})

test('a dry run shows the batches and changes nothing', async () => {
  await apply(lab(), web(0))
  const stdout = await lab().lbMust([...rollOut(some(1, 2)), '--dry-run'])
  const [b1, b2, b3] = some(0, 1, 2).map(({ ip, port }) => `${ip}:${port}`)
  expect(stdout).toBe(`Batch 1: ${b2} in\nBatch 2: ${b1} out, ${b3} in\n`)
  expect((await raw(lab())).generation).toBe(1)
})

test('one that does not work: it stops, and the targets from before serve', async () => {
  await apply(lab(), web(0, 1))
  await using traffic = await lab().client.startTraffic(service)
  await traffic.passed(20)
  const dead = targets([lab().backends[3]!], { port: DEAD })
  const { code, stderr } = await lab().lbCli(rollOut([...some(2), ...dead], { health: '1s' }))
  expect(code).toBe(7)
  expect(stderr).toMatch(
    new RegExp(
      `the rollout of proxy web stopped: not healthy within 1 s: ${dead[0]!.ip}:${DEAD} \\(connection refused\\); it has the targets from before, generation \\d+ serves`,
    ),
  )
  expect(await serving()).toEqual(addresses(some(0, 1)))
  expect(await drains()).toEqual([])
  const { byBackend, failures } = await lab().client.requests({ ...service, count: 40 })
  expect(failures).toEqual([])
  expect(Object.keys(byBackend).sort()).toEqual(['b1', 'b2'])
  await traffic.stop()
})

test('killed anywhere, the same command goes on; and a failure later goes back to the very beginning', async () => {
  await apply(lab(), web(0, 1))
  const killed = async (generation: number, args: string[]): Promise<void> => {
    const child = lab().lb.spawn(lab().lbCommand(args), { cwd: lab().folder })
    await until('a batch is done', async () => (await raw(lab())).generation >= generation || undefined)
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  await killed(2, rollOut(some(2, 3), { interval: '60s' }))
  expect(await serving()).toEqual(addresses(some(1, 2)))
  expect(await lab().lbMust(rollOut(some(2, 3)))).toMatch(/^Goes on with a rollout that was interrupted/)
  expect(await serving()).toEqual(addresses(some(2, 3)))
  expect((await lab().client.requests({ ...service, count: 20 })).failures).toEqual([])

  const dead = targets([lab().backends[1]!], { port: DEAD })
  const bad = [...some(0), ...dead]
  await killed(4, rollOut(bad, { interval: '60s' }))
  expect((await lab().lbCli(rollOut(bad, { health: '1s' }))).code).toBe(7)
  expect(await serving()).toEqual(addresses(some(2, 3)))
})

test('a drain is waited for, its connections go on, and a batch does not wait for ever', async () => {
  await apply(lab(), web(0))
  await using connection = await lab().client.connect(service)
  expect(connection.backend).toBe('b1')
  const { code, stderr } = await lab().lbCli(rollOut(some(1)))
  expect(code).toBe(0)
  expect(stderr).toMatch(/has 1 connection left, which goes on/)
  expect(await ask(lab())).toBe('b2')
  expect(await connection.request()).toBe('b1')
})

test('somebody puts a target back meanwhile: it stops, and no drain is left', async () => {
  await apply(lab(), web(0, 1, 2))
  await using connection = await lab().client.connect(service)
  const index = lab().backends.findIndex(({ name }) => name === connection.backend)
  const [held] = some(index)
  // The one with the connection and another one are drained at once.
  const stay = [0, 1, 2].filter((i) => i !== index)[0]!
  const words = [...rollOut(some(stay, 3)), '--batch', '2']
  words[words.indexOf('--drain-timeout') + 1] = '60s'
  const child = lab().lb.spawn(lab().lbCommand(words), { cwd: lab().folder })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'close')
  await until('a drain goes on', async () => (await drains()).includes('draining') || undefined)
  await lab().lbMust(['undrain', 'web', `${held!.ip}:${held!.port}`])
  expect(await ended).toEqual([7, null])
  expect(said).toMatch(/was put back into service by somebody else; it has the targets from before/)
  expect(await drains()).toEqual([])
  expect(await serving()).toEqual(addresses(some(0, 1, 2)))
})

test('with a daemon, its checks decide', async () => {
  const settings = {
    healthCheckEnabled: true,
    healthCheckDefaults: { type: 'tcp', intervalMs: 1000, timeoutMs: 500, healthyThreshold: 1 },
  } as never
  lab().write('lb.yaml', { ...web(0, 1), settings })
  const env = daemonEnv(lab())
  {
    await using daemon = await watch(lab())
    await lab().lbMust(rollOut(some(2, 3), { health: '20s' }), { env })
    expect(await serving()).toEqual(addresses(some(2, 3)))
    expect(await lab().lbMust(['why', 'web', some(2)[0]!.ip], { env })).toContain('healthy')
    expect(daemon.errors()).toBe('')
  }
  await using _reconciling = await watch(lab(), ['--on-drift', 'reconcile'])
  const { code, stderr } = await lab().lbCli(rollOut(some(0)), { env })
  expect(code).toBe(6)
  expect(stderr).toContain('reconciles: it would undo each batch')
})

test('a file that is wrong is shown where it is wrong', async () => {
  await apply(lab(), web(0))
  const wrong = ['# new ones', '- ip: 10.0.0.1', '  port: 99999', '- ipp: 10.0.0.2', '  port: 80', ''].join(
    '\n',
  )
  const { code, stderr } = await lab().lbCli([
    'rollout',
    'web',
    '--to',
    lab().write('bad.yaml', wrong),
    '--yes',
  ])
  expect(code).toBe(1)
  expect(stderr).toMatch(/bad\.yaml:3:9/)
  expect(stderr).toMatch(/bad\.yaml:4:3/)
  expect(stderr).toMatch(/ port: 99999/)
  const host = lab().write('host.yaml', [{ host: 'example.com', port: 80 }])
  expect((await lab().lbCli(['rollout', 'web', '--to', host, '--yes'])).stderr).toContain(
    'example.com is a name',
  )
  expect((await lab().lbCli(['rollout', 'nope', '--to', host, '--yes'])).stderr).toMatch(
    /no proxy nope .*\n.*web/,
  )
  expect((await lab().lbCli(['rollout', 'web', '--yes'])).code).toBe(3)
})
