import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Lab } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { bpftool } from './support/bpftool.ts'
import { apply, config, pins, proxy, targets, useLab } from './support/lb.ts'

/** Several load balancers on one host, and what one costs. */

const lab = useLab({ ipv6: true })

/** Runs lb on another instance, which is removed with the lab as its name begins with the lab's. */
async function other(own: Lab, name: string, args: readonly string[]): Promise<string> {
  const argv = own.lbCommand(args).slice(0, -1)
  return own.lb.exec([...argv, name], { cwd: own.folder, env: { NODE_ENV: undefined } })
}

test('two instances on one interface keep to themselves', async () => {
  const second = `${lab().instance}-second`
  const [b1, b2, b3] = targets(lab().backends)
  try {
    await apply(lab(), config([proxy('web', [b1!])]))
    lab().write('second.yaml', config([proxy('web', [b2!], { port: 81 })]))
    await other(lab(), second, ['apply', '--yes', '-c', 'second.yaml'])
    const names = async () =>
      Promise.all(
        [80, 81].map(async (port) => {
          const { byBackend } = await lab().client.requests({ address: vip.ipv4, port, count: 10 })
          return byBackend
        }),
      )
    expect(await names()).toEqual([{ b1: 10 }, { b2: 10 }])
    await using connection = await lab().client.connect({ address: vip.ipv4, port: 81 })
    await apply(lab(), config([proxy('web', [b3!])]))
    expect(await names()).toEqual([{ b3: 10 }, { b2: 10 }])
    expect(await other(lab(), second, ['plan', '-c', 'second.yaml'])).toMatch(/^No changes\./)
    expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
    await lab().lbMust(['destroy', '--yes'])
    expect(await connection.request()).toBe('b2')
    expect((await lab().client.curl(`http://${vip.ipv4}/`)).code).toBe(7)
    // The other way round.
    await apply(lab(), config([proxy('web', [b1!])]))
    expect(await names()).toEqual([{ b1: 10 }, { b2: 10 }])
  } finally {
    await other(lab(), second, ['destroy', '--yes'])
  }
})

test('an interface takes native XDP of one instance only, and says so', async () => {
  const second = `${lab().instance}-second`
  const [b1] = targets(lab().backends)
  const xdp = { interfaces: { front0: { attach: 'xdp' } } }
  try {
    await apply(lab(), config([proxy('web', [b1!])], xdp))
    lab().write('second.yaml', config([proxy('web', [b1!], { port: 81 })], xdp))
    const argv = lab().lbCommand(['apply', '--yes', '-c', 'second.yaml']).slice(0, -1)
    const { code, stderr } = await lab().lb.run([...argv, second], { cwd: lab().folder })
    expect(code).toBe(7)
    expect(stderr).toMatch(/interface front0, hook xdp[^]*nothing is applied, as before, verified/)
    expect(readdirSync('/sys/fs/bpf/lb')).not.toContain(second)
  } finally {
    await other(lab(), second, ['destroy', '--yes'])
  }
})

test('a connection takes no more than 256 bytes of the kernel, 320 with IPv6', async () => {
  const six = targets(lab().backends, { family: 'ipv6' })
  await apply(
    lab(),
    config([proxy('four', targets(lab().backends)), proxy('six', six, { address: vip.ipv6 })]),
  )
  for (const [family, most] of [
    ['v4', 256],
    ['v6', 320],
  ] as const) {
    const partitions = readdirSync(pins(lab(), 'conn')).filter((name) => name.startsWith(family))
    const sizes = await Promise.all(
      partitions.map(async (name) => {
        const info = await bpftool(['--json', 'map', 'show', 'pinned', pins(lab(), 'conn', name)])
        return JSON.parse(info) as { bytes_memlock: number; max_entries: number }
      }),
    )
    const entries = sizes.reduce((sum, { max_entries: count }) => sum + count, 0)
    const bytes = sizes.reduce((sum, { bytes_memlock: size }) => sum + size, 0)
    // Two records a connection.
    expect(entries).toBeGreaterThanOrEqual(2 * 100_000)
    expect(bytes / 100_000).toBeLessThanOrEqual(most)
  }
})
