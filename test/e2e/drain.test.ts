import { beforeAll, expect, test } from 'vitest'
import type { StatusDocument } from '../../src/engine/model/status.ts'
import type { CliOutcome } from '../support/lab/lab.ts'
import { vip } from '../support/lab/topology.ts'
import { apply, config, plan, proxy, targets, useLab } from './support/lb.ts'
import type { Config } from './support/lb.ts'
import { echoPort, end, idle, open, say, serve, talk } from './support/talk.ts'
import { until } from './support/until.ts'

/** Taking targets out of service and putting them back, with clients on the wire and without a daemon. */

const lab = useLab({})
const at = { address: vip.ipv4, port: 80 }

beforeAll(() => serve(lab().backends))

const echo = (settings?: Config['settings']): Config =>
  config([proxy('web', targets(lab().backends, { port: echoPort }))], settings && { settings })

const target = (index: number): string => `${lab().backends[index]!.address.ipv4}:${echoPort}`

/** How many of so many new connections each target got. */
async function shares(connections = 60): Promise<Record<string, number>> {
  const steps = Array.from({ length: connections }, () => [open('a', at), say('a', 'x'), end('a')])
  const outcomes = await talk(lab().client, steps.flat())
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) {
    const [, name] = /^(b[0-9]) x$/.exec(String(outcome)) ?? []
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  }
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(connections)
  return counts
}

// Below those that the kernel gives to connections without one.
let nextPort = 22_000

/** An idle connection to one target; resolves, when told, to what became of saying something more. */
async function connectionTo(name: string): Promise<() => Promise<unknown>> {
  for (;;) {
    const localPort = nextPort++
    const more = await idle(lab().client, { ...at, localPort })
    if ((await targetOf(localPort)) === name) return more
    await more()
  }
}

/** The target that the connection from that port of the client goes to. */
async function targetOf(localPort: number): Promise<string | undefined> {
  const { connections } = (await lab().lbCli(['connections', '--json'])).json() as {
    connections: { client: string; target: string }[]
  }
  const found = connections.find(({ client }) => client.endsWith(`:${localPort}`))
  return lab().backends.find((_, i) => found?.target === target(i))?.name
}

const json = async (args: readonly string[]): Promise<CliOutcome & { document: unknown }> => {
  const outcome = await lab().lbCli([...args, '--json'])
  return { ...outcome, document: outcome.json() }
}

test('a drained target gets no new connection while its old ones live', async () => {
  await apply(lab(), echo())
  const more = await connectionTo('b1')
  const drained = await lab().lbMust(['drain', 'web', target(0)])
  expect(drained).toMatch(/drains: 1 connection of 1 left until /)
  const found = await shares()
  expect(found['b1']).toBeUndefined()
  expect(Object.keys(found).sort()).toEqual(['b2', 'b3'])
  expect(await plan(lab())).toMatchObject({ drift: [], changes: [] })
  expect(await more()).toBe('b1 again 0')
  await lab().lbMust(['undrain', 'web', target(0)])
  expect((await shares())['b1']).toBeGreaterThan(5)
})

test('applies and rollbacks leave it drained', async () => {
  await apply(lab(), echo())
  await lab().lbMust(['drain', 'web', target(1)])
  await apply(lab(), echo({ connectionTimeoutSec: 200 }))
  expect((await shares())['b2']).toBeUndefined()
  // Other lists, so another table of selection.
  const two = config([proxy('web', targets(lab().backends.slice(0, 2), { port: echoPort }))])
  await apply(lab(), two)
  expect(await shares(20)).toEqual({ b1: 20 })
  await lab().lbMust(['rollback'])
  expect(Object.keys(await shares()).sort()).toEqual(['b1', 'b3'])
  await lab().lbMust(['rollback', '--to', '1'])
  expect(Object.keys(await shares()).sort()).toEqual(['b1', 'b3'])
})

test('without a daemon and without --wait, the status tells what a drain has come to', async () => {
  await apply(lab(), echo())
  const stateOf = async (index: number): Promise<unknown> => {
    const { document } = await json(['status'])
    const { proxies } = document as StatusDocument
    return proxies[0]!.targets.find(({ ip }) => ip === lab().backends[index]!.address.ipv4)!.drain.state
  }
  const one = await connectionTo('b1')
  const other = await connectionTo('b2')
  await lab().lbMust(['drain', 'web', target(0), '--timeout', 'none'])
  await lab().lbMust(['drain', 'web', target(1), '--timeout', '2s'])
  expect(await stateOf(0)).toBe('draining')
  await one()
  await until('it is over', async () => (await stateOf(0)) === 'completed')
  await until('its time is', async () => (await stateOf(1)) === 'timeout')
  expect(await lab().lbMust(['status'])).toMatch(/completed \(1 at first\)/)
  await other()
})

test('--wait ends when the last connection does', async () => {
  await apply(lab(), echo({ drainCheckIntervalMs: 100 }))
  const more = await connectionTo('b1')
  const waiting = json(['drain', 'web', target(0), '--wait', '--timeout', '60s'])
  await until('it drains', async () => (await shares(10))['b1'] === undefined)
  expect(await more()).toBe('b1 again 0')
  const { code, document, stderr } = await waiting
  expect([code, document]).toMatchObject([
    0,
    { formatVersion: 1, changed: true, outcome: 'completed', connections: { initial: 1, current: 0 } },
  ])
  expect(stderr).toContain('1 connection left')
  expect((await json(['drain', 'web', target(0), '--wait'])).document).toMatchObject({ outcome: 'completed' })
})

test('--wait ends with exit code 1 when the time is over, and leaves the connection alone', async () => {
  await apply(lab(), echo({ drainCheckIntervalMs: 100 }))
  const more = await connectionTo('b1')
  const { code, document } = await json(['drain', 'web', target(0), '--wait', '--timeout', '1s'])
  expect([code, document]).toMatchObject([1, { outcome: 'timeout', connections: { initial: 1, current: 1 } }])
  expect((await shares())['b1']).toBeUndefined()
  expect(await more()).toBe('b1 again 0')
})

test('--wait ends with exit code 1 when somebody undrains', async () => {
  await apply(lab(), echo({ drainCheckIntervalMs: 100 }))
  const more = await connectionTo('b1')
  const waiting = json(['drain', 'web', target(0), '--wait'])
  await until('it drains', async () => (await lab().lbMust(['status', '--json'])).includes('"draining"'))
  await lab().lbMust(['undrain', 'web', target(0)])
  const { code, document } = await waiting
  expect([code, document]).toMatchObject([1, { outcome: 'cancelled', connections: { initial: 1 } }])
  await more()
})

test('the last target of a list is drained with --force only, and then all get traffic', async () => {
  await apply(lab(), echo())
  for (const index of [0, 1]) await lab().lbMust(['drain', 'web', target(index)])
  expect(await shares(20)).toEqual({ b3: 20 })
  const refused = await json(['drain', 'web', target(2)])
  expect([refused.code, refused.document]).toMatchObject([
    6,
    { error: { code: 'refused', message: expect.stringContaining('last target of a list') as unknown } },
  ])
  expect(await shares(20)).toEqual({ b3: 20 })
  await lab().lbMust(['drain', 'web', target(2), '--force'])
  expect(Object.keys(await shares()).sort()).toEqual(['b1', 'b2', 'b3'])
})

test('drain: true in the configuration drains, and only the configuration takes it back', async () => {
  const [first, ...others] = targets(lab().backends, { port: echoPort })
  await apply(lab(), config([proxy('web', [{ ...first!, drain: true } as typeof first & object, ...others])]))
  expect(Object.keys(await shares()).sort()).toEqual(['b2', 'b3'])
  const undrain = await lab().lbCli(['undrain', 'web', target(0)])
  expect([undrain.code, undrain.stderr]).toEqual([6, expect.stringContaining('drain: true')])
  await apply(lab(), echo())
  expect(Object.keys(await shares()).sort()).toEqual(['b1', 'b2', 'b3'])
})

test.for([
  [['drain', 'wbe', '10.0.0.11:7000'], 1, /there is no proxy wbe\n.*did you mean web\?/],
  [['drain', 'web', '10.0.0.99:7000'], 1, /proxy web has no target 10\.0\.0\.99:7000\n.*10\.0\.0\.11:7000/],
  [['drain', 'web', 'nonsense'], 3, /'nonsense' is no target/],
  [['drain', 'web', '10.0.0.11:7000', '--timeout', '5'], 3, /a duration is a number and a unit/],
  [['drain', 'web', '10.0.0.11:7000', '--timeout', '5h'], 3, /from 1000 ms to 3600 s/],
  [['drain', 'web'], 3, /Missing 1 required arg/],
  [['circuit', 'opne', 'web', '10.0.0.11:7000'], 3, /Expected opne to be one of: open, close, reset/],
  [['undrain', 'web', '10.0.0.11:7001'], 1, /has no target/],
  [['why', 'web', '[::1'], 3, /is no target/],
] as const)('%j ends with %i', async ([args, status, message]) => {
  await apply(lab(), echo())
  const { code, stdout, stderr } = await lab().lbCli(args)
  expect([code, stdout, stderr]).toEqual([status, '', expect.stringMatching(message)])
})

test.for([['drain'], ['undrain'], ['why'], ['circuit', 'open']])(
  '%j where nothing is applied says so',
  async (words) => {
    const { code, stderr } = await lab().lbCli([...words, 'web', '10.0.0.1:80'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing is applied on instance')])
  },
)

test('an open circuit sends nothing, a closed one brings it back, and why tells', async () => {
  await apply(
    lab(),
    config([proxy('web', targets(lab().backends, { port: echoPort, weights: [50, 30, 20] }))]),
  )
  await lab().lbMust(['circuit', 'open', 'web', target(1)])
  const found = await shares(100)
  expect(Object.keys(found).sort()).toEqual(['b1', 'b3'])
  expect(found['b1']).toBeGreaterThan(found['b3']!)
  const open = (await json(['why', 'web', target(1)])).document
  expect(open).toMatchObject({
    formatVersion: 1,
    target: { proxy: 'web', port: echoPort, protocol: 'tcp' },
    lists: [{ source: null, configured: 30, effective: 0, cause: 'breaker' }],
    runtime: { breaker: { state: 'open', forced: true } },
    history: [{ from: 1_000_000, to: 0, cause: 'breaker' }],
  })
  expect((await json(['why', 'web', target(0)])).document).toMatchObject({
    lists: [{ configured: 50, effective: 71, cause: 'configured' }],
    history: [],
  })
  await lab().lbMust(['circuit', 'close', 'web', target(1)])
  await lab().lbMust(['drain', 'web', target(1)])
  await lab().lbMust(['undrain', 'web', target(1)])
  expect(Object.keys(await shares(100)).sort()).toEqual(['b1', 'b2', 'b3'])
  const text = await lab().lbMust(['why', 'web', lab().backends[1]!.address.ipv4])
  expect(text).toMatch(/default target +30 % +30 % +as configured/)
  expect(text).toMatch(
    /100 % → 0 % +circuit breaker\n.* 0 % → 100 % +as configured\n.* 100 % → 0 % +drained\n.* 0 % → 100 % +as configured\n$/,
  )
  expect(await plan(lab())).toMatchObject({ drift: [], changes: [] })
})
