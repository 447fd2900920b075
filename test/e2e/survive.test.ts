import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import { apply, config, makeForeign, proxy, raw, targets, useLab, type Config } from './support/lb.ts'
import { crowd, echoPort, serve } from './support/talk.ts'
import { startStream } from './support/stream.ts'

/** Connections outlive the configuration that they were opened under, and the programs that opened them. */

const lab = useLab({ backends: 4, clients: 2 })
const at = { address: vip.ipv4, port: 80 }
const streamPort = 5201
const APPLIES = 100
const CONNECTIONS = 200

/** Targets of the two services by number of backend, and weights of the first. */
function services(echo: readonly number[], stream: readonly number[], weights?: readonly number[]) {
  const hosts = (numbers: readonly number[]) => numbers.map((number) => lab().backends[number - 1]!)
  return [
    proxy('echo', targets(hosts(echo), { port: echoPort, ...(weights && { weights }) })),
    proxy('stream', targets(hosts(stream), { port: streamPort }), { port: streamPort }),
  ]
}

/** What is applied, over and over again. The connections are on backends 1, 2 and 3, the stream on 1. */
function cycle(): readonly Config[] {
  const fourth = targets([lab().backends[3]!])
  const other = proxy('other', fourth, { port: 81, interfaces: ['front1'] })
  const routed = { sourceRoutes: [{ source: '198.51.100.0/24', targets: fourth }] }
  return [
    config(services([1, 2, 3], [1], [10, 30, 60])),
    config(services([1, 2, 3, 4], [1, 2])),
    config([...services([1, 2, 3], [1], [98, 1, 1]), other]),
    config(services([2, 3], [2], [50, 50])),
    config(services([3, 4], [1, 4])),
    config(services([1, 2, 3], [1]).map((service) => ({ ...service, ...routed }))),
    config(services([1, 2, 3], [1]), { interfaces: { back0: { attach: 'xdp-generic' } } }),
    config([proxy('renamed', fourth), other]),
    // None of their own, and then not even their own services.
    withoutTheirOwn(),
    config([other]),
  ]
}

const withoutTheirOwn = () => config(services([4], [4]), { settings: { connectionTimeoutSec: 120 } })

/** Resets that the machines at both ends have sent, and connections that they lost by one. */
async function resets(): Promise<number> {
  const counters = ['TcpOutRsts', 'TcpEstabResets']
  const counts = [lab().client, ...lab().backends].map(async (host) => {
    // Its memory of earlier counts is not kept by namespace.
    const table = await host.exec(['nstat', '--json', '--ignore', '--noupdate', '--zeros', ...counters])
    const { kernel } = JSON.parse(table) as { kernel: Record<string, number> }
    return counters.reduce((sum, name) => sum + (kernel[name] ?? NaN), 0)
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

test('a stream and 200 idle connections live through 100 applies', { timeout: 300_000 }, async () => {
  await serve(lab().backends)
  await apply(lab(), config(services([1, 2, 3], [1])))
  const connections = await crowd(lab().client, at, { size: CONNECTIONS, words: ['one', 'two', 'three'] })
  const stream = await startStream(lab(), lab().backends[0]!, vip.ipv4, streamPort)
  const resetsBefore = await resets()
  const before = await raw(lab())

  const started = performance.now()
  const configs = cycle()
  let upgrades = 0
  for (let count = 0; count < APPLIES; count += 1) {
    // Another place in the cycle each time.
    const upgrade = count % 9 === 4
    if (upgrade) await makeForeign(lab())
    const output = await apply(lab(), configs[count % configs.length]!, ['--keep', '2'])
    expect(output).toContain(`Generation ${before.generation + count + 1} serves.`)
    if (output.includes('program will be upgraded in place')) upgrades += 1
  }
  const seconds = (performance.now() - started) / 1000

  const two = await connections.goOn()
  await apply(lab(), withoutTheirOwn())
  const three = await connections.goOn()
  const resetsSince = (await resets()) - resetsBefore
  const { client, server } = await stream.stop()
  const { reasons } = await raw(lab())

  expect(upgrades).toBe(11)
  // Each by the backend that it was on, and what it said itself.
  const answers = (word: string) => connections.answers.map((answer) => String(answer).replace('one', word))
  expect(two).toEqual(answers('two'))
  expect(three).toEqual(answers('three'))
  const backends = new Set(connections.answers.map((answer) => String(answer).slice(0, 2)))
  expect(backends).toEqual(new Set(['b1', 'b2', 'b3']))
  for (const { error, intervals, end } of [client, server]) {
    expect(error).toBeUndefined()
    expect(intervals.length).toBeGreaterThan(2 * seconds)
    expect(intervals.filter(({ sum }) => sum.bytes === 0)).toEqual([])
    expect(end.sum_received.bytes).toBeGreaterThan(seconds * 1_000_000)
  }
  expect(resetsSince).toBe(0)
  expect(Object.keys(reasons).filter((reason) => reason.startsWith('LB_DROP'))).toEqual([])
})
