import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import type { ConnectionsDocument } from '../../src/render/connections.ts'
import { apply, config, liveConnections, pins, proxy, targets, useLab } from './support/lb.ts'
import { until } from './support/until.ts'

/** `lb connections`, and how many there may be. */

const lab = useLab({})
const list = async (...args: string[]): Promise<ConnectionsDocument> =>
  JSON.parse(await lab().lbMust(['connections', '--json', ...args])) as ConnectionsDocument

test('connections are counted and listed while they live, and by no proxy once it is gone', async () => {
  const { backends, client } = lab()
  const [b1, b2] = targets(backends)
  await apply(lab(), config([proxy('a', [b1!]), proxy('b', [b2!], { port: 81 })]))
  await using first = await client.connect({ address: vip.ipv4, port: 80 })
  await using second = await client.connect({ address: vip.ipv4, port: 81 })
  const both = await list()
  expect(both.total).toBe(2)
  expect(both.counts).toMatchObject([
    { proxy: 'a', connections: 1 },
    { proxy: 'b', connections: 1 },
  ])
  const { connections } = await list('--proxy', 'a')
  expect(connections).toMatchObject([
    {
      proxy: 'a',
      protocol: 'tcp',
      state: 'established',
      listener: `${vip.ipv4}:80`,
      target: `${b1!.ip}:${b1!.port}`,
    },
  ])
  expect(connections[0]!.client).toBe(`${client.address.ipv4}:${first.localPort}`)
  expect(connections[0]!.packetsForward).toBeGreaterThan(2)
  expect(connections[0]!.bytesReverse).toBeGreaterThan(100)
  await apply(lab(), config([proxy('b', [b2!], { port: 81 })]), ['--force'])
  expect((await list()).counts).toMatchObject([{ proxy: null }, { proxy: 'b' }])
  expect(await lab().lbMust(['connections', '--limit', '1'])).toMatch(/\(no proxy\)/)
  expect([await first.request(), await second.request()]).toEqual(['b1', 'b2'])
})

test('the limit can be changed at once, refuses, and ends at zero', async () => {
  const { backends, client } = lab()
  const timeouts = { timeWaitTimeoutSec: 1, finTimeoutSec: 1, resetTimeoutSec: 1, synTimeoutSec: 1 }
  const web = (maxConnections: number) =>
    config([proxy('web', targets(backends))], { settings: { maxConnections, ...timeouts } })
  const at = { address: vip.ipv4, port: 80 }
  await apply(lab(), web(2))
  {
    await using _first = await client.connect(at)
    await using _second = await client.connect(at)
    const { failures } = await client.requests({ ...at, count: 1, timeoutMs: 500 })
    expect(failures).toHaveLength(1)
    const { refused, total } = await list()
    expect(total).toBe(2)
    expect(refused['LB_DROP_CONN_LIMIT']).toBeGreaterThan(0)
    await apply(lab(), web(50))
    expect((await client.requests({ ...at, count: 200 })).failures).toEqual([])
  }
  await until('no connection is left', async () => (await liveConnections(lab())) === 0)
  expect(await list()).toMatchObject({ total: 0, counts: [], connections: [] })
})

test('tables grow under traffic, and keep the connections that they have', async () => {
  const { backends, client } = lab()
  const timeouts = { timeWaitTimeoutSec: 1, finTimeoutSec: 1, resetTimeoutSec: 1, synTimeoutSec: 1 }
  const web = (maxConnections: number) =>
    config([proxy('web', targets(backends))], { settings: { maxConnections, ...timeouts } })
  const at = { address: vip.ipv4, port: 80 }
  const tables = () => readdirSync(pins(lab(), 'conn')).length
  await apply(lab(), web(100_000))
  const before = tables()
  await using traffic = await client.startTraffic({ ...at, concurrency: 8 })
  await traffic.passed(20)
  {
    await using old = await client.connect(at)
    await apply(lab(), web(200_000))
    expect(tables()).toBeGreaterThan(before)
    await using young = await client.connect(at)
    expect((await list('--limit', '10000')).connections.map(({ client: from }) => from)).toEqual(
      expect.arrayContaining([old, young].map(({ localPort }) => `${client.address.ipv4}:${localPort}`)),
    )
    lab().write('lb.yaml', web(400_000))
    const { code, stderr } = await lab().lbCli(['apply', '--yes'])
    expect(code).toBe(6)
    expect(stderr).toMatch(/maxConnections is 400000, but .* room for 200000 .* still growing/)
    expect([await old.request(), await young.request()]).toEqual([old.backend, young.backend])
  }
  await traffic.passed(20)
  await until('larger tables yet', async () => (await lab().lbCli(['apply', '--yes'])).code === 0)
  await traffic.passed(20)
  // Whatever an apply changes, it gives them up too.
  let wanted = 400_000
  await until('only the tables of 400,000 connections are left', async () => {
    await apply(lab(), web((wanted -= 1)))
    return tables() === 32
  })
  const { failures, total } = await traffic.stop()
  expect(failures).toEqual([])
  expect(total).toBeGreaterThan(60)
})
