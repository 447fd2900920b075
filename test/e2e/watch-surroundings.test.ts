import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StatusDocument } from '../../src/engine/model/status.ts'
import { vip } from '../support/lab/topology.ts'
import { daemonEnv, quickChecks, watch } from './support/daemon.ts'
import { config, proxy, targets, useLab } from './support/lb.ts'
import { until } from './support/until.ts'

/** What happens around the daemon: backends that die, a clock that is set, a disk that is full. */

const lab = useLab({ backends: 3 })

const web = (settings: object, weights = [50, 30, 20]) =>
  config([proxy('web', targets(lab().backends, { weights }))], { settings })

const target = (i: number) => `${lab().backends[i]!.address.ipv4}:8080`

test('backends that die and come back: once they are known to be down, no request fails', async () => {
  lab().write('lb.yaml', web(quickChecks))
  await using daemon = await watch(lab())
  for (const _ of lab().backends) await daemon.line({ event: 'health', state: 'healthy' })
  await using traffic = await lab().client.startTraffic({ address: vip.ipv4, port: 80, concurrency: 4 })
  for (const i of [0, 1, 2, 1]) {
    await traffic.passed(20)
    await lab().backends[i]!.stop()
    await daemon.line({ event: 'health', state: 'unhealthy', target: target(i) })
    // Those that were under way.
    const known = await traffic.passed(8)
    const later = await traffic.passed(60)
    expect(later.failures.slice(known.failures.length)).toEqual([])
    expect(later.byBackend[`b${i + 1}`]).toBe(known.byBackend[`b${i + 1}`])
    await lab().backends[i]!.start()
    await daemon.line({ event: 'health', state: 'healthy', target: target(i) })
  }
  const { total, byBackend, failures } = await traffic.stop()
  expect(Object.values(byBackend).reduce((a, b) => a + b, 0) + failures.length).toBe(total)
})

/** Sets the clock of day of processes that were started with `env`, and of no other. */
function makeClock(): { readonly env: Readonly<Record<string, string>>; set(hours: number): void } {
  const file = join(lab().folder, 'clock')
  const set = (hours: number) => writeFileSync(file, `${hours < 0 ? '' : '+'}${hours}h\n`)
  set(0)
  return {
    set,
    env: {
      LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
  }
}

test('a clock that is set ends no drain, and keeps no circuit open', async () => {
  const circuitBreaker = { enabled: true, minRequests: 5, openDurationMs: 2000, windowSizeMs: 10_000 }
  lab().write('lb.yaml', web({ circuitBreaker }, [40, 30, 30]))
  const env = daemonEnv(lab())
  const clock = makeClock()
  await using daemon = await watch(lab(), [], { env: clock.env })
  await using held = await lab().client.connect({ address: vip.ipv4, port: 80 })
  const drained = lab().backends.findIndex(({ name }) => name === held.backend)
  await lab().lbMust(['drain', 'web', target(drained), '--timeout', '30m'], { env })

  clock.set(5)
  const broken = (drained + 1) % 3
  await lab().backends[broken]!.stop()
  await lab().client.requests({ address: vip.ipv4, port: 80, count: 200 })
  const opened = await daemon.line({ event: 'breaker', state: 'open', target: target(broken) })
  expect(Math.round((Date.parse(opened.time) - Date.now()) / 3_600_000)).toBe(5)
  clock.set(-5)
  const tried = await daemon.line({ event: 'breaker', state: 'half-open', cause: 'time' })
  expect(Math.round((Date.parse(tried.time) - Date.now()) / 3_600_000)).toBe(-5)
  await lab().backends[broken]!.start()

  const { at, proxies } = (await lab().lbCli(['status', '--json'], { env })).json() as StatusDocument
  const { drain } = proxies[0]!.targets[drained]!
  expect(drain).toMatchObject({ state: 'draining', initial: 1 })
  const left = (Date.parse(drain.deadline!) - Date.parse(at)) / 60_000
  expect(left).toBeGreaterThan(25)
  expect(left).toBeLessThanOrEqual(30)
  expect(await held.request()).toBe(held.backend)
})

test('a disk that is full: what cannot be written is left out, and nothing else suffers', async () => {
  const full = join(lab().folder, 'full')
  mkdirSync(full)
  await lab().lb.exec(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', full])
  try {
    lab().write('lb.yaml', web(quickChecks))
    const log = join(full, 'log')
    const wrap = ['sh', '-c', 'exec "$@" >> full/log', 'sh']
    await using daemon = await watch(lab(), [], { wrap, ready: false })
    await until('it is ready', () => existsSync(log) && readFileSync(log, 'utf8').includes('"ready"'))
    expect(() => appendFileSync(log, Buffer.alloc(1 << 20, '\n'))).toThrow('ENOSPC')
    const before = readFileSync(log, 'utf8')
    lab().write('lb.yaml', web(quickChecks, [10, 60, 30]))
    await until('it is applied', async () => /weight: 60/.test(await lab().lbMust(['show'])))
    await lab().backends[0]!.stop()
    await until('it is known to be down', async () =>
      (await lab().lbMust(['status'], { env: daemonEnv(lab()) })).includes('unhealthy'),
    )
    expect(readFileSync(log, 'utf8')).toBe(before)

    for (const args of [
      ['plan', '-o', join(full, 'new.file')],
      ['init', join(full, 'new.file')],
    ]) {
      const { code, stderr } = await lab().lbCli(args)
      expect([code, stderr]).toEqual([1, expect.stringMatching(/new\.file.*no space left/i)])
    }
    expect(readdirSync(full)).toEqual(['log'])
    truncateSync(log)
    await lab().backends[0]!.start()
    await until('it writes again', () => readFileSync(log, 'utf8').includes('"recovery"'))
    expect(daemon.errors()).toBe('')
  } finally {
    await lab().lb.exec(['umount', '--lazy', full])
  }
})
