import { expect, test } from 'vitest'
import { dnsmasq } from '../support/dns-servers.ts'
import { vip } from '../support/lab/topology.ts'
import { ask, daemonEnv, daemonStatus, watch } from './support/daemon.ts'
import { useLab } from './support/lb.ts'

/** Targets by name: the daemon follows the name, whatever its server does. */

const lab = useLab({ backends: 3 })
const PORT = 5300
const env = { LB_DNS_SERVERS: `127.0.0.1:${PORT}` }

const serve = (...records: string[]) => dnsmasq(records, { port: PORT, namespace: lab().lb.namespace })
const pods = (...backends: number[]) =>
  backends.map((i) => `--host-record=pods.test,${lab().backends[i]!.address.ipv4},1`)

const byName = (port = 80, rest: object = {}) => ({
  version: 1,
  proxies: [
    {
      name: 'web',
      listen: { interfaces: ['front0'], address: vip.ipv4, port },
      defaultTarget: [{ host: 'pods.test', port: 8080, dnsRefreshSeconds: 1 }],
      ...rest,
    },
  ],
})
const renamed = { event: 'reload', trigger: 'dns', outcome: 'applied' }
interface History {
  readonly generations: readonly {
    readonly number: number
    readonly provenance: { readonly cause?: string }
  }[]
}
const history = async () => JSON.parse(await lab().lbMust(['history', '--json'])) as History

test('new addresses are applied at once, marked, and no drift; a server that fails takes none away', async () => {
  lab().write('lb.yaml', byName())
  const first = await serve(...pods(0, 1))
  await using daemon = await watch(lab(), [], { env })
  const answers = async () =>
    Object.keys((await lab().client.requests({ address: vip.ipv4, port: 80, count: 30 })).byBackend).sort()
  expect(await answers()).toEqual(['b1', 'b2'])
  await first[Symbol.asyncDispose]()
  expect(await daemon.line({ event: 'dns' })).toMatchObject({ level: 'warn', host: 'pods.test' })
  expect(await answers()).toEqual(['b1', 'b2'])
  {
    await using _second = await serve(...pods(1, 2))
    expect(await daemon.line(renamed)).toMatchObject({ generation: 2 })
    expect(await answers()).toEqual(['b2', 'b3'])
    await ask(lab(), 'POST', '/v1/compare')
    expect((await daemonStatus(lab())).agreement.state).toBe('in-sync')
    expect((await daemonStatus(lab())).names).toMatchObject([
      { host: 'pods.test', family: 'ipv4', error: null },
    ])
  }
  // No such name: the addresses stay, and status says so.
  await using _third = await serve()
  await daemon.line({ event: 'dns', cause: /no such name|not found/i })
  expect(await answers()).toEqual(['b2', 'b3'])
  const text = await lab().lbMust(['status'], { env: daemonEnv(lab()) })
  expect(text).toMatch(/Name +pods\.test \(ipv4\): .*; goes on with the 2 known/)
  expect(text).toMatch(/:8080 \(pods\.test\)/)
  expect((await history()).generations.map(({ provenance }) => provenance.cause ?? 'wanted')).toEqual([
    'wanted',
    'dns',
  ])
  // Started anew, it knows what serves.
  await daemon.kill()
  await using again = await watch(lab(), [], { env })
  expect(again.lines.find(({ event }) => event === 'reload')).toMatchObject({ outcome: 'unchanged' })
  expect(await answers()).toEqual(['b2', 'b3'])
})

test('names do not crowd out what rollback goes back to, and going back follows the name too', async () => {
  lab().write('lb.yaml', byName())
  const first = await serve(...pods(0))
  await using daemon = await watch(lab(), ['--keep', '3'], { env })
  lab().write('lb.yaml', byName(81))
  await daemon.line({ event: 'reload', trigger: 'file', outcome: 'applied' })
  await first[Symbol.asyncDispose]()
  for (const pair of [
    [0, 1],
    [1, 2],
    [0, 2],
  ]) {
    await using _server = await serve(...pods(...pair))
    await daemon.line(renamed)
  }
  const { generations } = await history()
  expect(generations.map(({ number }) => number)).toEqual([1, 2, 5])
  await using _last = await serve(...pods(0, 2))
  await lab().lbMust(['rollback'])
  await daemon.line({ event: 'foreign', to: 1 })
  await daemon.line(renamed)
  // The old port, the new addresses.
  const { failures, byBackend } = await lab().client.requests({ address: vip.ipv4, port: 80, count: 30 })
  expect({ failures, backends: Object.keys(byBackend).sort() }).toEqual({
    failures: [],
    backends: ['b1', 'b3'],
  })
  expect((await daemonStatus(lab())).agreement.state).toBe('drifted')
})

test('a name that was never resolved keeps a file from being applied, unless it may be left out', async () => {
  lab().write('lb.yaml', byName())
  const none = await serve()
  {
    await using daemon = await watch(lab(), [], { env })
    const line = daemon.lines.find(({ event }) => event === 'reload')
    expect(line).toMatchObject({ outcome: 'failed', msg: expect.stringContaining('pods.test') as string })
  }
  const more = [
    { host: 'pods.test', port: 8080, dnsRefreshSeconds: 1, weight: 50 },
    { ip: lab().backends[0]!.address.ipv4, port: 8080, weight: 50 },
  ]
  lab().write('lb.yaml', byName(80, { defaultTarget: more }))
  await using daemon = await watch(lab(), ['--allow-unresolved'], { env })
  await none[Symbol.asyncDispose]()
  await using _some = await serve(...pods(1, 2))
  await daemon.line(renamed)
  const { byBackend } = await lab().client.requests({ address: vip.ipv4, port: 80, count: 60 })
  expect(Object.keys(byBackend).sort()).toEqual(['b1', 'b2', 'b3'])
})
