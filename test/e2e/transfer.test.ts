import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLab, udpPort, type Lab } from '../support/netns.ts'
import { vip, type Shape } from '../support/lab/topology.ts'
import { apply, config, proxy, raw, targets } from './support/lb.ts'
import { digestPort, download, open, serve, sourcePort, talk, upload } from './support/talk.ts'

/** Much data, and packets of every size. */

const megabyte = 1024 * 1024
const up = 81
const down = 82

async function makeLab(shape: Shape): Promise<Lab> {
  const lab = await createLab({ backends: 2, ipv6: true, ...shape })
  try {
    await serve(lab.backends)
    const list = (port: number, family: 'ipv4' | 'ipv6') => targets(lab.backends, { port, family })
    await apply(
      lab,
      config(
        (['ipv4', 'ipv6'] as const).flatMap((family) => [
          proxy(`up-${family}`, list(digestPort, family), { address: vip[family], port: up }),
          proxy(`down-${family}`, list(sourcePort, family), { address: vip[family], port: down }),
          proxy(`udp-${family}`, list(udpPort, family), { address: vip[family], protocol: 'udp' }),
        ]),
      ),
    )
    return lab
  } catch (error) {
    await lab[Symbol.asyncDispose]()
    throw error
  }
}

async function expectTransfer(lab: Lab, address: string, bytes: number): Promise<void> {
  const outcomes = await talk(lab.client, [
    ...[open('up', { address, port: up }), upload('up', bytes)],
    ...[open('down', { address, port: down }), download('down', bytes)],
  ])
  const { answer, sha256 } = outcomes[1] as { answer: string; sha256: string }
  expect(answer).toMatch(new RegExp(`^b[12] ${bytes} ${sha256}$`))
  expect(outcomes[3]).toBe(true)
}

test('20 MB each way arrive as they were sent, over both families', async () => {
  await using lab = await makeLab({})
  for (const address of [vip.ipv4, vip.ipv6]) await expectTransfer(lab, address, 20 * megabyte)
  // What was counted is what was sent, with headers.
  const { backends } = await raw(lab)
  const total = (field: string) =>
    Object.values(backends).reduce((sum, row) => sum + Number((row as Record<string, unknown>)[field]), 0)
  for (const bytes of [total('bytesForward'), total('bytesReverse')]) {
    expect(bytes).toBeGreaterThan(40 * megabyte)
    expect(bytes).toBeLessThan(40 * megabyte * 1.15)
  }
})

test('with checksums and segments left to the network cards', async () => {
  await using lab = await makeLab({})
  for (const host of [...lab.clients, ...lab.backends]) {
    await host.exec(['ethtool', '-K', 'eth0', 'tx', 'on', 'tso', 'on', 'gso', 'on', 'gro', 'on'])
  }
  for (const address of [vip.ipv4, vip.ipv6]) {
    await expectTransfer(lab, address, 20 * megabyte)
    const flows = await lab.client.udp({ address, port: 80, flows: 5, perFlow: 5 })
    expect(flows.map((answers) => answers.length)).toEqual([5, 5, 5, 5, 5])
  }
  const { reasons } = await raw(lab)
  expect(Object.keys(reasons).filter((reason) => reason.startsWith('LB_DROP'))).toEqual([])
})

test.for<{ client: number; backend: number }>([
  { client: 1500, backend: 1300 },
  { client: 1300, backend: 1500 },
  { client: 9000, backend: 9000 },
])('networks with an MTU of $client and $backend', async (mtu) => {
  await using lab = await makeLab({ mtu })
  for (const address of [vip.ipv4, vip.ipv6]) await expectTransfer(lab, address, 2 * megabyte)
})

test('a target learns of a smaller MTU on the way to the client', async () => {
  await using lab = await makeLab({ mtu: { client: 1300 } })
  // The client says that it takes more than its network does, as one behind a tunnel would.
  await lab.client.exec(['sh', '-e'], {
    input: `ip route change default via 198.51.100.1 advmss 1460
            ip -6 route change default via 2001:db8:c0::1 advmss 1440`,
  })
  for (const address of [vip.ipv4, vip.ipv6]) await expectTransfer(lab, address, megabyte)
  expect((await raw(lab)).reasons['LB_STACK_TOO_BIG']).toBeGreaterThan(0)
})

test('datagrams of every size up to the MTU', async () => {
  await using lab = await makeLab({})
  const program = join(import.meta.dirname, 'programs/datagrams.mjs')
  for (const [address, most] of [
    [vip.ipv4, 1500 - 28],
    [vip.ipv6, 1500 - 48],
  ] as const) {
    const sizes = [0, 1, 2, 3, 7, 100, 1000, most - 20, most - 6, most - 4]
    const argv = [process.execPath, program, address, '80', ...sizes.map(String)]
    const answers = JSON.parse(await lab.client.exec(argv)) as unknown[]
    expect(answers).toEqual(sizes.map(() => 'whole'))
  }
})
