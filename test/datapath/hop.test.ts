import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { mustRun } from '../support/lab/run.ts'
import type { Configuration } from '../support/model.ts'
import { compileBpf } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { world } from './support/network.ts'
import { forwardFrame, type Flow } from './support/session.ts'

/** A next hop is remembered for a tenth of a second: another route, and another neighbour, are seen within that. */

/** LB_HOP_MAX_AGE, and what the kernel's coarse clock may be behind: a tick of 100 Hz at both ends. */
const BOUND_MS = (95 * 2 ** 20) / 1e6 + 20
const TRIES = 30

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'))
})
afterAll(() => plane.close())

const configuration: Configuration = {
  listeners: [
    { device: 'client0', address: '203.0.113.10', port: 80, protocol: 'tcp', group: 'v4' },
    { device: 'client0', address: '2001:db8::10', port: 80, protocol: 'tcp', group: 'v6' },
  ],
  groups: { v4: [{ ip: '10.2.0.2', port: 8080 }], v6: [{ ip: 'fd02::2', port: 8080 }] },
}
beforeEach(() => plane.configure(configuration))

const flow: Flow = {
  protocol: 'tcp',
  source: '100.64.0.7',
  sourcePort: 4000,
  destination: '203.0.113.10',
  destinationPort: 80,
}
const flow6: Flow = { ...flow, source: 'fd64::7', destination: '2001:db8::10' }

const ip = (...words: string[]) => mustRun(['nsenter', `--net=/run/netns/${plane.namespace}`, 'ip', ...words])

const macOf = (frame: Uint8Array): string => Buffer.from(frame.subarray(0, 6)).toString('hex')
const macText = (text: string): string => text.replaceAll(':', '')
const hop = (prefix: string): string =>
  macText(world.routes.find((route) => route.prefix === prefix)!.nextHopMac!)

interface Way {
  /** What it takes to go that way. */
  readonly go: readonly string[]
  readonly mac: string
}

const neighbour = (address: string, mac: string): Way => ({
  go: ['neigh', 'replace', address, 'lladdr', mac, 'dev', 'server0', 'nud', 'permanent'],
  mac: macText(mac),
})

const SERVER = '02:00:00:00:02:02'
const OTHER = '02:00:00:00:02:77'
const routes = (address: string, gateway: string, length: number): readonly [Way, Way] => [
  { go: ['route', 'del', `${address}/${length}`], mac: macText(SERVER) },
  {
    go: ['route', 'add', `${address}/${length}`, 'via', gateway, 'dev', 'client0'],
    mac: hop('100.64.0.0/10'),
  },
]

test.each(
  (['xdp', 'ingress'] as const).flatMap((hook) => [
    {
      hook,
      what: 'neighbour',
      over: flow,
      ways: [neighbour('10.2.0.2', SERVER), neighbour('10.2.0.2', OTHER)],
    },
    {
      hook,
      what: 'neighbour',
      over: flow6,
      ways: [neighbour('fd02::2', SERVER), neighbour('fd02::2', OTHER)],
    },
    { hook, what: 'route', over: flow, ways: routes('10.2.0.2', '10.1.0.2', 32) },
    { hook, what: 'route', over: flow6, ways: routes('fd02::2', 'fd01::2', 128) },
  ]),
)('at $hook another $what is seen in time by $over.source', async ({ hook, over, ways }) => {
  const send = async (flags: string): Promise<string> => {
    const [seen] = await plane.run(hook, [{ data: forwardFrame(over, { flags }), device: 'client0' }])
    expect(seen?.reason).toBe('LB_REDIRECT')
    return macOf(seen!.data)
  }
  let remembered = 0
  try {
    expect(await send('S')).toBe(ways[0].mac)
    for (let round = 1; remembered < 2 && round <= TRIES; round++) {
      const way = ways[round % 2]!
      // So that there is something to remember.
      for (let i = 0; i < 5; i++) await send('A')
      await ip(...way.go)
      const changed = performance.now()
      for (;;) {
        const sent = performance.now()
        const mac = await send('A')
        if (mac === way.mac) break
        remembered++
        expect(sent - changed, 'milliseconds after the change').toBeLessThan(BOUND_MS)
      }
    }
  } finally {
    // A route that is not there cannot be taken away.
    await ip(...ways[0].go).catch(() => undefined)
  }
  // Otherwise nothing was remembered that could have been out of date.
  expect(remembered).toBeGreaterThan(0)
})
