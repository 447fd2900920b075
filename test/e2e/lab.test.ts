import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sweep } from '../support/lab/cleanup.ts'
import { mustRun } from '../support/lab/run.ts'
import { createLab, httpPort, udpPort } from '../support/netns.ts'

/** What other tests see must be what lb does: so first, what these networks do without it. */

test('machines reach each other through the load balancer, with both families and protocols', async () => {
  await using lab = await createLab({ backends: 2, clients: 2, ipv6: true, localBackend: true })
  const [b1, b2] = lab.backends
  for (const client of lab.clients) {
    for (const address of [b1!.address.ipv4, b1!.address.ipv6]) {
      const tally = await client.requests({ address, port: httpPort, count: 20 })
      expect(tally).toMatchObject({ total: 20, byBackend: { b1: 20 }, failures: [] })
      const answers = await client.udp({ address, port: udpPort, flows: 3, perFlow: 2 })
      expect(answers).toEqual(Array(3).fill(['b1', 'b1']))
    }
  }
  const { stdout, code } = await lab.client.curl(`http://[${b2!.address.ipv6}]:${httpPort}/`)
  expect({ stdout, code }).toEqual({ stdout: 'b2\n', code: 0 })
  const local = await lab.client.requests({ address: lab.lb.address.ipv4, port: httpPort, count: 1 })
  expect(local.byBackend).toEqual({ local: 1 })
})

test('backends can each have an interface of the load balancer', async () => {
  await using lab = await createLab({ backends: 3, backendNetwork: 'separate', mtu: { backend: 1400 } })
  const links = await lab.lb.exec(['ip', '-brief', 'link'])
  expect(links.match(/^\w+/gm)).toEqual(['lo', 'front0', 'back0', 'back1', 'back2'])
  for (const { name, address } of lab.backends) {
    const tally = await lab.client.requests({
      address: address.ipv4,
      port: httpPort,
      count: 1,
      path: '/bytes/100000',
    })
    expect(tally.byBackend).toEqual({ [name]: 1 })
  }
})

test('every request of continuous traffic is accounted for, also those that fail', async () => {
  await using lab = await createLab({ backends: 1 })
  const [backend] = lab.backends
  const target = { address: backend!.address.ipv4, port: httpPort, concurrency: 4 }
  const traffic = await lab.client.startTraffic(target)
  await traffic.passed(50)
  await backend!.stop()
  await traffic.passed(50)
  await backend!.start()
  await traffic.passed(50)
  const { total, byBackend, failures } = await traffic.stop()
  expect(byBackend['b1']).toBeGreaterThanOrEqual(100)
  expect(failures.length).toBeGreaterThanOrEqual(40)
  expect(byBackend['b1']! + failures.length).toBe(total)
  expect(failures[0]).toMatch(/ECONNREFUSED|ECONNRESET|socket hang up/)
})

test('a connection that was cut is not taken for one that lives', async () => {
  await using lab = await createLab({ backends: 1 })
  const [backend] = lab.backends
  await using connection = await lab.client.connect({ address: backend!.address.ipv4, port: httpPort })
  expect(await connection.request()).toBe('b1')
  await backend!.stop()
  await backend!.start()
  await expect(connection.request()).rejects.toThrow('the connection was lost')
})

test('a lab leaves nothing behind', async () => {
  let prefix: string
  {
    await using lab = await createLab({ backends: 1 })
    prefix = lab.lb.namespace.replace(/lb$/, '')
    // Not ours to end one by one, and still in the way of the namespace.
    lab.backends[0]!.spawn(['sh', '-c', 'sleep 1000 & wait'])
    mkdirSync(`/sys/fs/bpf/lb/${lab.instance}/gen`, { recursive: true })
    expect(readdirSync('/run/netns').filter((name) => name.startsWith(prefix))).toHaveLength(4)
    expect(existsSync(lab.folder)).toBe(true)
  }
  expect(readdirSync('/run/netns').filter((name) => name.startsWith(prefix))).toEqual([])
  expect(readdirSync('/sys/fs/bpf/lb').filter((name) => name.startsWith(`test-${process.pid}-`))).toEqual([])
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))).toEqual([])
})

test('what a killed run left behind is removed, and nothing of a running one', async () => {
  // No process has a number above 2^22.
  const dead = { namespace: 'lbt-4194999-1-lb', instance: 'test-4194999-1', folder: 'lbt-4194999-1-x' }
  await mustRun(['ip', 'netns', 'add', dead.namespace])
  mkdirSync(`/sys/fs/bpf/lb/${dead.instance}`, { recursive: true })
  mkdirSync(join(tmpdir(), dead.folder))
  await using lab = await createLab({ backends: 1 })

  expect((await sweep()).sort()).toEqual(Object.values(dead).sort())
  expect(await sweep()).toEqual([])
  const tally = await lab.client.requests({
    address: lab.backends[0]!.address.ipv4,
    port: httpPort,
    count: 1,
  })
  expect(tally.failures).toEqual([])
})
