import { expect, test } from 'vitest'
import type { Settings } from '../../src/engine/model/snapshot.ts'
import { type Connection } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { ask, quickChecks, watch } from './support/daemon.ts'
import { config, proxy, targets, useLab, type Target } from './support/lb.ts'
import { until } from './support/until.ts'

/** What the daemon finds out about targets reaches packets at once, and outlives the daemon. */

const lab = useLab({ backends: 3 })

const checks = quickChecks as unknown as Partial<Settings>

const weighted = (settings: Partial<Settings> = checks, weights = [50, 30, 20]) =>
  config([proxy('web', targets(lab().backends, { weights }))], { settings })

interface RawTables {
  readonly tables: {
    readonly selection: readonly { readonly value: { readonly backend: number } }[]
    readonly backends: readonly { readonly value: { readonly addr: string } }[]
  }
}

/** Of the run's entries, how many each backend has, in percent. */
async function shares(): Promise<number[]> {
  const { tables } = JSON.parse(await lab().lbMust(['show', '--raw'])) as RawTables
  const rows = tables.selection.map(({ value }) => Object.values(value)[0])
  const counts = new Map<unknown, number>()
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1)
  const addresses = tables.backends.map(({ value }) => JSON.stringify(value))
  return lab().backends.map(({ address }) => {
    const row = addresses.findIndex((text) => text.includes(`"${address.ipv4}"`))
    return Math.round((100 * (counts.get(row) ?? 0)) / rows.length)
  })
}

const target = (i: number) => `${lab().backends[i]!.address.ipv4}:8080`

test('a target that is down gets no connection; it comes back in steps; the state outlives the daemon', async () => {
  lab().write('lb.yaml', weighted())
  await using first = await watch(lab())
  for (const _ of lab().backends) await first.line({ event: 'health', state: 'healthy' })
  expect(await shares()).toEqual([50, 30, 20])
  await lab().backends[1]!.stop()
  expect(await first.line({ event: 'health', state: 'unhealthy' })).toMatchObject({
    level: 'warn',
    proxy: 'web',
    target: target(1),
    cause: expect.stringMatching(/refused/) as string,
  })
  expect(await shares()).toEqual([71, 0, 29])
  const { failures, byBackend } = await lab().client.requests({ address: vip.ipv4, port: 80, count: 60 })
  expect(failures).toEqual([])
  expect(Object.keys(byBackend).sort()).toEqual(['b1', 'b3'])
  await first.kill()
  expect(await shares()).toEqual([71, 0, 29])
  // What serves is what it should be, sick target or not: no drift.
  expect(await lab().lbCli(['plan', '--detailed-exitcode'])).toMatchObject({ code: 0 })

  await using second = await watch(lab())
  await ask(lab(), 'POST', '/v1/compare')
  expect(await shares()).toEqual([71, 0, 29])
  expect(second.lines.filter(({ event }) => event === 'health')).toEqual([])
  await lab().backends[1]!.start()
  for (const recovery of [1, 2, 3, 4]) await second.line({ event: 'health', target: target(1), recovery })
  expect(await shares()).toEqual([50, 30, 20])
  const { history } = JSON.parse(await lab().lbMust(['why', 'web', target(1), '--json'])) as {
    history: { to: number; cause: string }[]
  }
  expect(history.map(({ to, cause }) => [to, cause])).toEqual([
    [0, 'health'],
    [250_000, 'recovery'],
    [500_000, 'recovery'],
    [750_000, 'recovery'],
    [1_000_000, 'configured'],
  ])
})

test('with all targets down, their weights stay', async () => {
  lab().write('lb.yaml', weighted())
  await using daemon = await watch(lab())
  for (const backend of lab().backends) await backend.stop()
  for (const _ of lab().backends) await daemon.line({ event: 'health', state: 'unhealthy' })
  expect(await shares()).toEqual([50, 30, 20])
  for (const backend of lab().backends) await backend.start()
  for (const _ of lab().backends) await daemon.line({ event: 'health', state: 'healthy', recovery: 4 })
  expect(await shares()).toEqual([50, 30, 20])
  // Nobody asks any more: nothing is known.
  await lab().backends[0]!.stop()
  await daemon.line({ event: 'health', state: 'unhealthy' })
  lab().write('lb.yaml', weighted({}))
  await daemon.line({ event: 'health', state: 'unknown', target: target(0) })
  expect(await shares()).toEqual([50, 30, 20])
  await lab().backends[0]!.start()
})

test('a refusal that the data plane sees is looked into at once', async () => {
  const slow = { ...(checks as Record<string, object>)['healthCheckDefaults'], intervalMs: 60_000 }
  lab().write('lb.yaml', weighted({ ...checks, healthCheckDefaults: slow } as Partial<Settings>))
  await using daemon = await watch(lab())
  for (const _ of lab().backends) await daemon.line({ event: 'health', state: 'healthy' })
  await lab().backends[0]!.stop()
  const began = performance.now()
  await lab().client.requests({ address: vip.ipv4, port: 80, count: 20 })
  await daemon.line({ event: 'health', state: 'unhealthy', target: target(0) })
  expect(performance.now() - began).toBeLessThan(10_000)
  await lab().backends[0]!.start()
})

test('a circuit opens by what the data plane sees, tries again, and closes', async () => {
  const circuitBreaker = {
    enabled: true,
    minRequests: 5,
    openDurationMs: 1000,
    halfOpenRequests: 2,
    windowSizeMs: 10_000,
  }
  lab().write('lb.yaml', weighted({ circuitBreaker } as unknown as Partial<Settings>))
  await using daemon = await watch(lab())
  await lab().backends[2]!.stop()
  const some = (count = 60) => lab().client.requests({ address: vip.ipv4, port: 80, count })
  // So many that chance cannot leave the target with fewer than the five that it takes.
  await some(200)
  expect(await daemon.line({ event: 'breaker', state: 'open' })).toMatchObject({
    target: target(2),
    cause: 'errors',
  })
  expect((await shares())[2]).toBe(0)
  await lab().backends[2]!.start()
  await daemon.line({ event: 'breaker', state: 'half-open', cause: 'time' })
  expect((await shares())[2]).toBeLessThan(5)
  await until('it closes', async () => {
    await some()
    return daemon.lines.some(({ event, state }) => event === 'breaker' && state === 'closed')
  })
  expect(await shares()).toEqual([50, 30, 20])
})

test('least connections: the fewer, the more new ones', async () => {
  const loadBalancing = { algorithm: 'least-connections', weighted: false, updateIntervalMs: 100 }
  const list: Target[] = targets(lab().backends.slice(0, 2))
  lab().write('lb.yaml', config([proxy('web', list)], { settings: { loadBalancing } as Partial<Settings> }))
  await using daemon = await watch(lab(), ['--log-level', 'debug'])
  const open: Connection[] = []
  for (let i = 0; i < 9; i++) open.push(await lab().client.connect({ address: vip.ipv4, port: 80 }))
  await until('shares follow connections', async () => {
    const counts = ['b1', 'b2'].map((name) => open.filter(({ backend }) => backend === name).length)
    const capacity = counts.map((count) => 1 / (1 + count))
    const wanted = (100 * capacity[0]!) / (capacity[0]! + capacity[1]!)
    return Math.abs((await shares())[0]! - wanted) <= 3
  })
  for (const connection of open) await connection.close()
  await until('shares are even again', async () => (await shares())[0] === 50)
  expect(daemon.errors()).toBe('')
})
