import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { vip } from '../support/lab/topology.ts'
import { ask, daemonStatus, runDir, watch } from './support/daemon.ts'
import { pins, useLab, web } from './support/lb.ts'
import { until } from './support/until.ts'

/** What happens to the daemon and to its files never happens to traffic. */

const lab = useLab({ backends: 3 })
const weighted = (first: number) => web(lab(), [first, 90 - first, 10])
const text = (first: number) => JSON.stringify(weighted(first), null, 2)
const shown = async () => /weight: (\d+)/.exec(await lab().lbMust(['show']))?.[1]
const applied = { event: 'reload', outcome: 'applied' }

/** Of the test that looks for what grows: more show less. */
const RELOADS = Number(process.env['LB_TEST_RELOADS'] ?? 400)

/** Numbers that look random and are the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 32
  }
}

test('killed at any moment, with reloads going on: every request is answered, and the next one goes on', async () => {
  const file = lab().write('lb.yaml', weighted(50))
  const first = await watch(lab())
  await first.kill()
  await using traffic = await lab().client.startTraffic({ address: vip.ipv4, port: 80, concurrency: 4 })
  const random = numbers(4)
  let seen = 0
  for (let round = 0; round < 100; round++) {
    const daemon = await watch(lab(), [], { ready: false })
    await daemon.line({ event: 'start' })
    // Into reading, planning, staging, the flip and what follows it.
    const reloads = (async () => {
      for (let i = 0; i < 3; i++) {
        writeFileSync(file, text(1 + ((round * 3 + i) % 80)))
        daemon.signal('SIGHUP')
        await pause(random.next().value * 20)
      }
    })()
    // Every other time after a reload at least, however busy the machine is.
    if (round % 2 === 1) await daemon.line({ event: 'reload', outcome: 'applied' })
    await pause(random.next().value * 400)
    await daemon.kill()
    await reloads
    seen += daemon.lines.filter(({ outcome }) => outcome === 'applied').length
    await traffic.passed(20)
  }
  writeFileSync(file, text(42))
  await using last = await watch(lab())
  expect(await shown()).toBe('42')
  const { total, byBackend, failures } = await traffic.stop()
  expect(failures).toEqual([])
  expect(Object.values(byBackend).reduce((a, b) => a + b, 0)).toBe(total)
  expect(seen).toBeGreaterThanOrEqual(50)
  expect(readdirSync(pins(lab(), 'gen')).filter((name) => name.includes('staged'))).toEqual([])
  expect(await lab().lbCli(['plan', '--detailed-exitcode'])).toMatchObject({ code: 0 })
  expect(last.errors()).toBe('')
})

test('a file that becomes a folder, cannot be read, is cut short again and again: what served serves', async () => {
  // Without the rights of root, who can read anything.
  mkdirSync(pins(lab()), { recursive: true })
  mkdirSync(runDir(lab()), { recursive: true })
  for (const path of [pins(lab()), lab().folder]) chownSync(path, 65534, 65534)
  rmSync(runDir(lab()), { recursive: true })
  const caps = '+bpf,+net_admin'
  const own = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
  const wrap = [
    'setpriv',
    ...own,
    `--inh-caps=${caps}`,
    `--ambient-caps=${caps}`,
    `--bounding-set=-all,${caps}`,
  ]
  const file = lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), [], { wrap })
  await using traffic = await lab().client.startTraffic({ address: vip.ipv4, port: 80 })
  const invalid = async (why: RegExp) => {
    const line = await daemon.line({ event: 'reload', outcome: 'invalid' })
    expect(line['text']).toMatch(why)
    expect((await daemonStatus(lab())).files.state).toBe('invalid')
  }
  rmSync(file)
  mkdirSync(file)
  await invalid(/no configuration files/)
  rmSync(file, { recursive: true })
  writeFileSync(file, text(50))
  chmodSync(file, 0o000)
  await invalid(/no right to read it|no such file/)
  chmodSync(file, 0o644)
  await until('it is right again', async () => (await daemonStatus(lab())).files.state === 'valid')
  const whole = text(60)
  const random = numbers(7)
  for (let i = 0; i < 1000; i++) {
    writeFileSync(file, whole.slice(0, Math.floor(random.next().value * whole.length)))
    if (i % 250 === 249) await ask(lab(), 'POST', '/v1/reload')
  }
  expect((await daemonStatus(lab())).files.state).toBe('invalid')
  expect(await shown()).toBe('50')
  writeFileSync(file, whole)
  await daemon.line(applied)
  expect(await shown()).toBe('60')
  expect((await traffic.stop()).failures).toEqual([])
  expect(daemon.errors()).toBe('')
})

test('reloads leave no descriptor, map or memory behind', { timeout: 60_000 + 250 * RELOADS }, async () => {
  const file = lab().write('lb.yaml', weighted(50))
  // A small heap: resident memory is what stays, and JavaScript that stays ends the process.
  await using daemon = await watch(lab(), [], {
    env: { NODE_OPTIONS: '--max-old-space-size=40 --max-semi-space-size=1' },
  })
  const status = () => readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
  const use = () => ({
    descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
    maps: readdirSync(pins(lab()), { recursive: true }).length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status())?.[1]),
  })
  const resident = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(status())?.[1]) / 1024
  const reload = async (count: number) => {
    for (let i = 0; i < count; i++) {
      writeFileSync(file, text(1 + (i % 80)))
      daemon.signal('SIGHUP')
      await daemon.line(applied)
    }
    await ask(lab(), 'POST', '/v1/compare')
  }
  await reload(100)
  const before = { ...use(), memory: resident() }
  await reload(RELOADS)
  const { memory, ...counts } = before
  await until('it has closed what it had open', () => use().descriptors <= counts.descriptors)
  const after = use()
  expect([after.maps, after.threads]).toEqual([counts.maps, counts.threads])
  expect(resident() - memory).toBeLessThan(20)
})

test('a stop while it waits for the lock does not wait for it', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab())
  const holder = lab().lb.spawn(['flock', '--no-fork', pins(lab()), 'sh', '-c', 'echo held; exec cat'])
  await new Promise((resolve) => holder.stdout?.once('data', resolve))
  lab().write('lb.yaml', weighted(20))
  expect(await daemon.line({ event: 'lock' })).toMatchObject({
    msg: expect.stringContaining('cat') as string,
  })
  // It waits, and answers meanwhile.
  expect((await daemonStatus(lab())).lastReload?.generation).toBe(1)
  daemon.signal('SIGTERM')
  expect(await daemon.ended).toBe(0)
  expect(await shown()).toBe('50')
  holder.kill('SIGKILL')
})
