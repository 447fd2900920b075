import { beforeAll, expect, test } from 'vitest'
import { udpPort } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { apply, config, type Config, liveConnections, proxy, raw, targets, useLab } from './support/lb.ts'
import {
  closed,
  digestPort,
  echoPort,
  end,
  idle,
  open,
  reset,
  say,
  serve,
  talk,
  upload,
} from './support/talk.ts'
import { until } from './support/until.ts'

/** The life of a connection. */

const lab = useLab({})
const at = { address: vip.ipv4, port: 80 }

beforeAll(async () => {
  await serve(lab().backends)
  // A client that closes first may use its port again at once.
  await lab().client.exec(['sysctl', '-qw', 'net.ipv4.tcp_max_tw_buckets=0'])
})

/** What a target answers. */
const answer = (text: string): unknown => expect.stringMatching(new RegExp(`^b[123] ${text}$`))

const echo = (settings?: Config['settings']) =>
  config([proxy('echo', targets(lab().backends, { port: echoPort }))], settings && { settings })

test('both sides can close first, or reset', async () => {
  await apply(lab(), echo())
  const outcomes = await talk(lab().client, [
    ...[open('a', at), say('a', 'one'), say('a', 'two'), end('a')],
    ...[open('b', at), say('b', 'bye'), closed('b')],
    ...[open('c', at), say('c', 'reset')],
    ...[open('d', at), say('d', 'three'), reset('d')],
  ])
  expect(outcomes).toEqual([
    ...['open', answer('one'), answer('two'), ''],
    ...['open', answer('bye'), 'end'],
    ...['open', 'ECONNRESET'],
    ...['open', answer('three'), 'reset'],
  ])
  expect(String(outcomes[1]).split(' ')[0]).toBe(String(outcomes[2]).split(' ')[0])
})

test('a reset by the client reaches the target', async () => {
  await apply(lab(), config([proxy('echo', targets(lab().backends.slice(0, 1), { port: echoPort }))]))
  await talk(lab().client, [open('a', at), say('a', 'x'), reset('a')])
  const [b1] = lab().backends
  await until('no connection is left on the target', async () => {
    const sockets = await b1!.exec(['ss', '-Htn', 'state', 'all', 'sport', '=', `:${echoPort}`])
    return !sockets.includes('ESTAB')
  })
})

test('a half closed connection still carries the answer', async () => {
  const list = targets(lab().backends, { port: digestPort })
  await apply(lab(), config([proxy('digest', list)]))
  const [, outcome] = await talk(lab().client, [open('a', at), upload('a', 100)])
  const { answer, sha256 } = outcome as { answer: string; sha256: string }
  expect(answer).toMatch(new RegExp(`^b[123] 100 ${sha256}$`))
})

test.for([
  ['the client closed', [end('a')]],
  ['the target closed', [say('a', 'bye'), closed('a')]],
  ['the client reset', [reset('a')]],
  ['the target reset', [say('a', 'reset'), closed('a')]],
] as const)('a client may come back from the same port at once, after %s', async ([, ending]) => {
  await apply(lab(), echo())
  const localPort = 20_000
  const rounds = Array.from({ length: 10 }, () => [
    open('a', { ...at, localPort }),
    say('a', 'hi'),
    ...ending,
  ])
  const outcomes = await talk(lab().client, rounds.flat())
  const width = 2 + ending.length
  for (let i = 0; i < outcomes.length; i += width) {
    expect(outcomes.slice(i, i + 2)).toEqual(['open', answer('hi')])
  }
  const { backends } = await raw(lab())
  expect(Object.values(backends).reduce((sum, { opened }) => sum + opened, 0)).toBe(10)
})

test('a target that does not listen refuses', async () => {
  const [b1] = targets(lab().backends, { port: 9 })
  await apply(lab(), config([proxy('dead', [b1!])]))
  expect(await talk(lab().client, [open('a', at), open('b', at)])).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
})

test('two listeners never mix the connections of one client port', async () => {
  const { backends, client } = lab()
  const list = targets(backends, { port: echoPort })
  await apply(lab(), config([proxy('a', list), proxy('b', list, { port: 81 })]))
  for (let localPort = 21_000; localPort < 21_010; localPort += 1) {
    const outcomes = await talk(client, [
      open('a', { ...at, localPort }),
      open('b', { ...at, port: 81, localPort }),
      ...[say('a', 'a1'), say('b', 'b1'), say('a', 'a2'), say('b', 'b2')],
    ])
    expect(outcomes.slice(0, 2)).toEqual(['open', 'open'])
    const [a1, b1, a2, b2] = outcomes.slice(2).map((line) => String(line).split(' '))
    expect([a1![1], b1![1], a2![1], b2![1]]).toEqual(['a1', 'b1', 'a2', 'b2'])
    expect(a1![0]).toBe(a2![0])
    expect(b1![0]).toBe(b2![0])
    // To one target the two would be the same connection.
    expect(a1![0]).not.toBe(b1![0])
  }
})

test('where no other target is left, the second connection of a port is not let through', async () => {
  const list = targets(lab().backends.slice(0, 1), { port: echoPort })
  await apply(lab(), config([proxy('a', list), proxy('b', list, { port: 81 })]))
  const outcomes = await talk(lab().client, [
    open('a', { ...at, localPort: 22_000 }),
    open('b', { ...at, port: 81, localPort: 22_000, timeoutMs: 1500 }),
    say('a', 'still here'),
  ])
  expect(outcomes).toEqual(['open', 'no answer in time', 'b1 still here'])
  expect((await raw(lab())).reasons['LB_DROP_TUPLE_CONFLICT']).toBeGreaterThanOrEqual(1)
})

test('idle connections are forgotten by the kernel alone, busy ones are not', async () => {
  const { backends, client } = lab()
  const proxies = [
    proxy('echo', targets(backends, { port: echoPort })),
    proxy('web', targets(backends), { port: 81 }),
  ]
  await apply(lab(), config(proxies, { settings: { connectionTimeoutSec: 1 } }))
  const goOn = await idle(client, at)
  await using busy = await client.connect({ ...at, port: 81 })
  const stop = new AbortController()
  const keepBusy = (async () => {
    while (!stop.signal.aborted) await busy.request()
  })()
  try {
    await until('the idle one is forgotten', async () => (await liveConnections(lab())) === 1)
  } finally {
    stop.abort()
    await keepBusy
  }
  expect(await busy.request()).toBe(busy.backend)
  // Nobody knows it any more, and it is told so.
  expect(await goOn()).toBe('ECONNRESET')
})

test('UDP flows have records too', async () => {
  const list = targets(lab().backends, { port: udpPort })
  await apply(lab(), config([proxy('udp', list, { protocol: 'udp' })]))
  await lab().client.udp({ address: vip.ipv4, port: 80, flows: 5 })
  expect(await liveConnections(lab())).toBe(5)
})
