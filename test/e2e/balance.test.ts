import { expect, test } from 'vitest'
import { httpPort, udpPort } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { anyAddress, apply, config, proxy, raw, targets, useLab, web } from './support/lb.ts'

/** Where connections go: by listener, by weight, by source. */

const lab = useLab({ ipv6: true, clients: 2 })

test('a browser gets its page through the load balancer, over IPv4 and IPv6', async () => {
  const { backends, client } = lab()
  const six = targets(backends, { family: 'ipv6' })
  await apply(lab(), config([proxy('four', targets(backends)), proxy('six', six, { address: vip.ipv6 })]))
  for (const host of [vip.ipv4, `[${vip.ipv6}]`]) {
    const { code, stdout, stderr } = await client.curl(`http://${host}/`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim()).toMatch(/^b[123]$/)
  }
  // The target sees the client's own address: only the destination was rewritten.
  const { stdout } = await client.curl(`http://${vip.ipv4}/`, ['--include'])
  expect(stdout).toMatch(/^x-client: (?:::ffff:)?198\.51\.100\.2 \d+\r$/m)
  const { reasons } = await raw(lab())
  expect(Object.keys(reasons).filter((reason) => reason.startsWith('LB_DROP'))).toEqual([])
  expect(reasons['LB_REDIRECT']).toBeGreaterThan(20)
})

test.for([
  { family: 'ipv4', flows: 60 },
  { family: 'ipv6', flows: 60 },
] as const)('UDP over $family: a flow keeps its target, flows are shared', async ({ family, flows }) => {
  const { backends, client } = lab()
  const list = targets(backends, { port: udpPort, family })
  const listen = { address: vip[family], port: 53, protocol: 'udp' } as const
  await apply(lab(), config([proxy('dns', list, listen)]))
  const answers = await client.udp({ address: vip[family], port: 53, flows, perFlow: 3 })
  const names = answers.map((flow) => new Set(flow))
  expect(names.filter(({ size }) => size !== 1)).toEqual([])
  // Each target stays without one of 60 flows at odds of 1 in 10^10.
  expect([...new Set(names.flatMap((set) => [...set]))].sort()).toEqual(['b1', 'b2', 'b3'])
})

test('connections are shared by weight', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const count = 1200
  const { byBackend, failures } = await lab().client.requests({ address: vip.ipv4, port: 80, count })
  expect(failures).toEqual([])
  for (const [name, share] of [
    ['b1', 0.5],
    ['b2', 0.3],
    ['b3', 0.2],
  ] as const) {
    // Six standard deviations of a binomial distribution.
    const off = Math.abs(byBackend[name]! - share * count)
    expect(off, `${name} got ${byBackend[name]} of ${count}`).toBeLessThan(
      6 * Math.sqrt(count * share * (1 - share)),
    )
  }
})

test('without weights targets share equally', async () => {
  await apply(lab(), web(lab()))
  const count = 600
  const { byBackend } = await lab().client.requests({ address: vip.ipv4, port: 80, count })
  const bound = 6 * Math.sqrt((count * 2) / 9)
  for (const name of ['b1', 'b2', 'b3']) expect(Math.abs(byBackend[name]! - count / 3)).toBeLessThan(bound)
})

test('the longest prefix that contains a client decides', async () => {
  const { backends, clients, client } = lab()
  const [b1, b2, b3] = targets(backends)
  await client.exec(['sh', '-e'], {
    input: ['7', '70', '200'].map((host) => `ip address add 198.51.100.${host}/24 dev eth0`).join('\n'),
  })
  await apply(
    lab(),
    config([
      {
        ...proxy('web', [b1!], { interfaces: ['front0', 'front1'] }),
        sourceRoutes: [
          { source: '198.51.100.0/24', targets: [b2!] },
          { source: '198.51.100.64/26', targets: [b3!] },
          { source: '198.51.100.7', targets: [b1!] },
        ],
      },
    ]),
  )
  const answers = await Promise.all(
    [
      ['198.51.100.2', client],
      ['198.51.100.7', client],
      ['198.51.100.70', client],
      ['198.51.100.200', client],
      [clients[1]!.address.ipv4, clients[1]!],
    ].map(async ([from, host]) => {
      const source = from as string
      const tally = await (host as typeof client).requests({
        address: vip.ipv4,
        port: 80,
        from: source,
        count: 20,
      })
      return [source, tally.byBackend]
    }),
  )
  expect(Object.fromEntries(answers)).toEqual({
    '198.51.100.2': { b2: 20 },
    '198.51.100.7': { b1: 20 },
    '198.51.100.70': { b3: 20 },
    '198.51.100.200': { b2: 20 },
    '192.0.2.2': { b1: 20 },
  })
})

test('source routes hold for IPv6 too', async () => {
  const { backends, clients, client } = lab()
  const [b1, b2] = targets(backends, { family: 'ipv6' })
  const listen = { interfaces: ['front0', 'front1'], address: vip.ipv6 }
  const sourceRoutes = [{ source: '2001:db8:c0::/48', targets: [b2!] }]
  await apply(lab(), config([{ ...proxy('web', [b1!], listen), sourceRoutes }]))
  const target = { address: vip.ipv6, port: 80, count: 10 }
  expect((await client.requests(target)).byBackend).toEqual({ b2: 10 })
  expect((await clients[1]!.requests(target)).byBackend).toEqual({ b1: 10 })
})

test('a listener on an address goes before one on any address, and each port is its own', async () => {
  const { backends, client } = lab()
  const [b1, b2, b3] = targets(backends)
  await apply(
    lab(),
    config([
      anyAddress(proxy('any', [b1!])),
      proxy('exact', [b2!]),
      proxy('other-port', [b3!], { port: 8081 }),
      proxy('udp', targets([backends[2]!], { port: udpPort }), { protocol: 'udp' }),
    ]),
  )
  const byPlace = async (address: string, port: number) =>
    (await client.requests({ address, port, count: 5 })).byBackend
  expect(await byPlace(vip.ipv4, 80)).toEqual({ b2: 5 })
  // Its own address on this network, and one that is routed through it to nowhere.
  expect(await byPlace('198.51.100.1', 80)).toEqual({ b1: 5 })
  expect(await byPlace('192.0.2.77', 80)).toEqual({ b1: 5 })
  expect(await byPlace(vip.ipv4, 8081)).toEqual({ b3: 5 })
  expect(await client.udp({ address: vip.ipv4, port: 80, flows: 2 })).toEqual([['b3'], ['b3']])
})

test('what is not for a listener is left alone', async () => {
  const { backends, client, clients, lb } = lab()
  lb.spawn([process.execPath, '-e', `require('net').createServer((s) => s.end('lb itself\\n')).listen(2222)`])
  await apply(lab(), web(lab()))
  const ping = (address: string) => client.run(['ping', '-c', '2', '-i', '0.2', '-W', '2', address])
  for (const address of [vip.ipv4, '198.51.100.1', backends[0]!.address.ipv4, vip.ipv6]) {
    expect((await ping(address)).code, `ping ${address}`).toBe(0)
  }
  // A service of the load balancer's own host, on the service address too.
  const telnet = await client.curl(`telnet://${vip.ipv4}:2222`, [
    '--retry-connrefused',
    '--retry',
    '20',
    '--retry-delay',
    '0',
  ])
  expect(telnet.stdout).toBe('lb itself\n')
  // A port where nobody listens refuses, at once.
  const refused = await client.curl(`http://${vip.ipv4}:81/`)
  expect(refused).toMatchObject({ code: 7, stdout: '' })
  // The listener is on front0 only.
  expect((await clients[1]!.curl(`http://${vip.ipv4}/`)).code).toBe(7)
  // Routed traffic goes straight to a backend.
  const direct = await client.requests({ address: backends[1]!.address.ipv4, port: httpPort, count: 5 })
  expect(direct.byBackend).toEqual({ b2: 5 })
})

test('a proxy takes clients of all its interfaces', async () => {
  const { backends, clients } = lab()
  await apply(lab(), config([proxy('web', targets(backends), { interfaces: ['front0', 'front1'] })]))
  for (const client of clients) {
    const tally = await client.requests({ address: vip.ipv4, port: 80, count: 20 })
    expect(tally).toMatchObject({ total: 20, failures: [] })
  }
})
