import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import {
  apply,
  config,
  liveConnections,
  makeForeign,
  plan,
  proxy,
  raw,
  targets,
  useLab,
  web,
} from './support/lb.ts'
import { echoPort, idle, serve } from './support/talk.ts'
import { until } from './support/until.ts'

/** Whatever is done to the configuration, no request fails and no connection moves. */

const lab = useLab({ backends: 3, clients: 2 })
const at = { address: vip.ipv4, port: 80 }

test('no request of continuous traffic fails while everything changes', async () => {
  const { backends, client } = lab()
  await apply(lab(), web(lab(), [50, 30, 20]))
  await using traffic = await client.startTraffic({ ...at, concurrency: 8 })
  const two = (weights: readonly number[]) =>
    config([proxy('web', targets(backends.slice(0, 2), { weights }))])
  const [only] = targets([backends[2]!])
  const steps: readonly (readonly string[] | ReturnType<typeof web>)[] = [
    web(lab(), [10, 30, 60]),
    two([50, 50]),
    ['rollback'],
    web(lab()),
    { ...two([90, 10]), settings: { connectionTimeoutSec: 60 } },
    config([
      ...two([90, 10]).proxies,
      proxy('more', [only!], { port: 81, interfaces: ['front0', 'front1'] }),
    ]),
    config([
      { ...two([90, 10]).proxies[0]!, sourceRoutes: [{ source: '198.51.100.0/24', targets: [only!] }] },
    ]),
    ['rollback', '--to', '1'],
    config([proxy('renamed', targets(backends))]),
  ]
  for (const step of steps) {
    if ('proxies' in step) await apply(lab(), step)
    else await lab().lbMust(step)
    await traffic.passed(60)
  }
  const { total, failures, byBackend } = await traffic.stop()
  expect(failures).toEqual([])
  expect(total).toBeGreaterThan(steps.length * 60)
  expect(Object.keys(byBackend).sort()).toEqual(['b1', 'b2', 'b3'])
})

test('every packet sees one generation: either all of the old or all of the new', async () => {
  // Two proxies that change places: through a mixture, one would get the other's target.
  const [b1, b2] = targets(lab().backends)
  const pair = (one: typeof b1, two: typeof b1) =>
    config([proxy('one', [one!]), proxy('two', [two!], { port: 81 })])
  await apply(lab(), pair(b1, b2))
  await using traffic = await lab().client.startTraffic({ ...at, concurrency: 8 })
  for (let round = 0; round < 3; round += 1) {
    await apply(lab(), pair(b2, b1))
    await apply(lab(), pair(b1, b2))
    await traffic.passed(20)
  }
  const { failures, byBackend } = await traffic.stop()
  expect(failures).toEqual([])
  expect(byBackend['b3']).toBeUndefined()
})

test('a connection keeps its target when that leaves the configuration', async () => {
  const { backends, client } = lab()
  const [b1, b2, b3] = targets(backends)
  await apply(lab(), config([proxy('web', [b1!])]))
  await using connection = await client.connect(at)
  expect(connection.backend).toBe('b1')
  await apply(lab(), config([proxy('web', [b2!])]))
  expect(await connection.request()).toBe('b1')
  await using second = await client.connect(at)
  expect(second.backend).toBe('b2')
  await lab().lbMust(['rollback'])
  expect([await connection.request(), await second.request()]).toEqual(['b1', 'b2'])
  // Also when the proxy, and all that it was attached to, leaves.
  await apply(lab(), config([proxy('other', [b3!], { interfaces: ['front1'] })]))
  await apply(lab(), config([]), ['--keep', '1', '--force'])
  expect((await client.curl(`http://${vip.ipv4}/`)).code).toBe(7)
  await apply(lab(), config([proxy('web', [b3!])]))
  await using third = await client.connect(at)
  expect(third.backend).toBe('b3')
})

test('an interface that left the configuration carries its connections while rolling back is possible', async () => {
  const { backends, clients } = lab()
  const [b1] = targets(backends)
  await apply(lab(), config([proxy('web', [b1!], { interfaces: ['front0', 'front1'] })]))
  await using connection = await clients[1]!.connect(at)
  await apply(lab(), config([proxy('web', [b1!])]))
  expect(await connection.request()).toBe('b1')
  expect((await clients[1]!.curl(`http://${vip.ipv4}/`)).code).toBe(7)
  expect((await raw(lab())).links.map(({ pin }) => pin)).toContain('front1:tcx-ingress')
  await apply(
    lab(),
    config([proxy('web', [b1!], { port: 81 })], { interfaces: { front1: { attach: 'none' } } }),
  )
  expect((await raw(lab())).links.map(({ pin }) => pin)).not.toContain('front1:tcx-ingress')
})

test('programs are replaced under traffic', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  await using traffic = await lab().client.startTraffic({ ...at, concurrency: 4 })
  const before = await raw(lab())
  await makeForeign(lab())
  const found = await plan(lab())
  expect(found.drift).toEqual([])
  expect(found.changes).toMatchObject([
    { address: 'program', action: 'update', before: { sha256: 'abababababab' } },
  ])
  const dry = await lab().lbCli(['apply', '--yes', '--dry-run'])
  expect(dry).toMatchObject({ code: 0 })
  expect((await plan(lab())).changes).toHaveLength(1)
  await traffic.passed(50)
  expect(await lab().lbMust(['apply', '--yes'])).toContain('program will be upgraded in place')
  await traffic.passed(50)
  const { failures } = await traffic.stop()
  expect(failures).toEqual([])
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
  const after = await raw(lab())
  const programs = ({ links }: typeof before) => links.map(({ programId }) => programId)
  expect(programs(after).filter((id) => programs(before).includes(id))).toEqual([])
  expect(after.links.map(({ pin }) => pin)).toEqual(before.links.map(({ pin }) => pin))
  // Counters go on where they were.
  const opened = ({ backends }: typeof before) =>
    Object.values(backends).reduce((sum, { opened: n }) => sum + n, 0)
  expect(opened(after)).toBeGreaterThan(opened(before))
})

test('the counters make room for more targets under traffic', async () => {
  const { client } = lab()
  const both = (first: number, length: number) => {
    const many = Array.from({ length }, (_, i) => ({ ip: '10.0.0.11', port: first + i }))
    return config([...web(lab()).proxies, proxy('many', many, { port: 81 })])
  }
  await apply(lab(), both(10_000, 2000))
  await using connection = await client.connect(at)
  await using traffic = await client.startTraffic({ ...at, concurrency: 2 })
  await traffic.passed(20)
  const before = await raw(lab())
  lab().write('lb.yaml', both(20_000, 3000))
  const { code, stderr } = await lab().lbCli(['apply', '--yes', '--force'])
  expect(code).toBe(0)
  expect(stderr).toMatch(/^prepare {2}room for 16384 backends$/m)
  await traffic.passed(20)
  expect((await traffic.stop()).failures).toEqual([])
  expect(await connection.request()).toBe(connection.backend)
  const after = await raw(lab())
  expect(Object.keys(after.backends)).toHaveLength(5003)
  for (const name of ['11', '12', '13'].map((host) => `10.0.0.${host}:8080/tcp`)) {
    expect(after.backends[name]!.opened).toBeGreaterThanOrEqual(before.backends[name]!.opened)
  }
  expect(after.links.map(({ pin }) => pin)).toEqual(before.links.map(({ pin }) => pin))
})

test('the timer goes on after an upgrade', async () => {
  const { backends, client } = lab()
  await serve(backends)
  const echo = config([proxy('echo', targets(backends, { port: echoPort }))], {
    settings: { connectionTimeoutSec: 1 },
  })
  await apply(lab(), echo)
  await makeForeign(lab())
  expect(await lab().lbMust(['apply', '--yes'])).toContain('program will be upgraded in place')
  await idle(client, at)
  expect(await liveConnections(lab())).toBe(1)
  await until('it is forgotten', async () => (await liveConnections(lab())) === 0)
})
