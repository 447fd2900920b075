import { expect, test } from 'vitest'
import { createLab, type Lab } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { apply, config, plan, proxy, raw, targets, web, type Config } from './support/lb.ts'
import { digestPort, download, open, serve, sourcePort, talk, upload } from './support/talk.ts'

/** Every way to be attached carries traffic, both ways, whole. */

interface Modes {
  readonly front: string
  readonly back: string
  /** The machines at the far ends take frames that XDP redirects. */
  readonly gro?: boolean
}

const megabyte = 1024 * 1024

/** HTTP, and bulk data both ways, over both families. */
function everything(lab: Lab, { front, back }: Modes): Config {
  const list = (port: number, family: 'ipv4' | 'ipv6') => targets(lab.backends, { port, family })
  return config(
    (['ipv4', 'ipv6'] as const).flatMap((family) => [
      proxy(`digest-${family}`, list(digestPort, family), { address: vip[family], port: 81 }),
      proxy(`source-${family}`, list(sourcePort, family), { address: vip[family], port: 82 }),
      proxy(`web-${family}`, targets(lab.backends, { family }), { address: vip[family] }),
    ]),
    { interfaces: { front0: { attach: front }, back0: { attach: back } } },
  )
}

async function expectTraffic(lab: Lab): Promise<void> {
  for (const address of [vip.ipv4, vip.ipv6]) {
    const tally = await lab.client.requests({ address, port: 80, count: 100 })
    expect(tally).toMatchObject({ total: 100, failures: [] })
    const outcomes = await talk(lab.client, [
      ...[open('up', { address, port: 81 }), upload('up', 5 * megabyte)],
      ...[open('down', { address, port: 82 }), download('down', 5 * megabyte)],
    ])
    const { answer, sha256 } = outcomes[1] as { answer: string; sha256: string }
    expect(answer).toMatch(new RegExp(`^b[12] ${5 * megabyte} ${sha256}$`))
    expect(outcomes[3]).toBe(true)
  }
}

test.for<Modes>([
  { front: 'auto', back: 'auto' },
  { front: 'tcx', back: 'tcx' },
  { front: 'xdp-generic', back: 'xdp-generic' },
  { front: 'xdp', back: 'xdp', gro: true },
  { front: 'xdp', back: 'xdp' },
  { front: 'xdp', back: 'tcx' },
  { front: 'tcx', back: 'xdp-generic' },
  { front: 'tcx', back: 'none' },
  { front: 'xdp', back: 'none' },
])('front0 $front, back0 $back, GRO at the far ends $gro', async (modes) => {
  await using lab = await createLab({ backends: 2, ipv6: true })
  await serve(lab.backends)
  if (modes.gro) {
    for (const host of lab.hosts.filter(({ name }) => name === 'client0' || name === 'switch')) {
      await host.exec(['ethtool', '-K', host.name === 'switch' ? 'uplink' : 'eth0', 'gro', 'on'])
    }
  }
  await apply(lab, everything(lab, modes))
  await expectTraffic(lab)

  const { reasons, links } = await raw(lab)
  expect(links.map(({ pin }) => pin)).toEqual([
    ...hooks('back0', modes.back),
    ...hooks('front0', modes.front),
  ])
  expect(Object.keys(reasons).filter((reason) => reason.startsWith('LB_DROP'))).toEqual([])
  const fast = reasons['LB_REDIRECT'] ?? 0
  const slow = (reasons['LB_STACK_NO_XMIT'] ?? 0) + (reasons['LB_STACK_EGRESS'] ?? 0)
  // Replies by an interface without a program, or that its driver cannot send, are the stack's.
  if (modes.back === 'none' || (modes.front === 'xdp' && !modes.gro)) expect(slow).toBeGreaterThan(100)
  else expect(fast).toBeGreaterThan(100 * (slow + 1))
})

function hooks(name: string, mode: string): string[] {
  if (mode === 'none') return []
  const ingress = mode === 'auto' || mode === 'tcx' ? 'tcx-ingress' : mode
  return [`${name}:tcx-egress`, `${name}:${ingress}`]
}

test('the way of attaching can be changed under traffic', async () => {
  await using lab = await createLab({})
  const attach = (mode: string) => web(lab, undefined, { interfaces: { front0: { attach: mode } } })
  await apply(lab, attach('tcx'))
  await using traffic = await lab.client.startTraffic({ address: vip.ipv4, port: 80, concurrency: 4 })
  for (const mode of ['xdp-generic', 'tcx', 'xdp', 'xdp-generic', 'xdp', 'auto']) {
    await traffic.passed(50)
    await apply(lab, attach(mode))
    const { links } = await raw(lab)
    expect(links.map(({ pin }) => pin).filter((pin) => pin.startsWith('front0'))).toEqual(
      hooks('front0', mode),
    )
    expect((await plan(lab)).changes).toEqual([])
  }
  await traffic.passed(50)
  const { failures } = await traffic.stop()
  expect(failures).toEqual([])
})

test('a target on the load balancer itself answers, beside others', async () => {
  await using lab = await createLab({ backends: 1, ipv6: true, localBackend: true })
  for (const family of ['ipv4', 'ipv6'] as const) {
    const list = targets([...lab.backends, lab.localBackend!], { family })
    await apply(lab, config([proxy('web', list, { address: vip[family] })]))
    const tally = await lab.client.requests({ address: vip[family], port: 80, count: 60 })
    expect(tally).toMatchObject({ total: 60, failures: [] })
    expect(Object.keys(tally.byBackend).sort()).toEqual(['b1', 'local'])
  }
  const { reasons } = await raw(lab)
  expect(reasons['LB_STACK_NOT_FORWARDED']).toBeGreaterThan(0)
  expect(reasons['LB_STACK_EGRESS']).toBeGreaterThan(0)
})

test('targets behind several interfaces', async () => {
  await using lab = await createLab({ backendNetwork: 'separate' })
  await apply(lab, web(lab))
  const tally = await lab.client.requests({ address: vip.ipv4, port: 80, count: 90 })
  expect(tally.failures).toEqual([])
  expect(Object.keys(tally.byBackend).sort()).toEqual(['b1', 'b2', 'b3'])
  expect((await raw(lab)).links).toHaveLength(8)
})

test.for(['tcx', 'xdp'])('by %s, who has no neighbour entry gets its answer', async (mode) => {
  await using lab = await createLab({ backends: 2, ipv6: true })
  await apply(lab, everything(lab, { front: mode, back: mode }))
  for (let round = 0; round < 3; round += 1) {
    for (const address of [vip.ipv4, `[${vip.ipv6}]`]) {
      await lab.lb.exec(['ip', 'neigh', 'flush', 'all'])
      expect(await lab.client.curl(`http://${address}/`)).toMatchObject({ code: 0 })
    }
  }
})
