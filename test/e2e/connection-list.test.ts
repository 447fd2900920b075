import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import type { ConnectionsDocument } from '../../src/render/connections.ts'
import { apply, config, liveConnections, proxy, targets, useLab } from './support/lb.ts'
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

test('more than the tables were made for is refused before anything is done', async () => {
  await apply(lab(), config([proxy('web', targets(lab().backends))]))
  const settings = { maxConnections: 200_000 }
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends))], { settings }))
  const { code, stderr } = await lab().lbCli(['plan'])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/maxConnections is 200000, but .* made for 100000/)
})
