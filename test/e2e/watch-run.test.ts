import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { mustRun, root, run } from '../support/lab/run.ts'
import { vip } from '../support/lab/topology.ts'
import { ask, daemonEnv, runDir, watch } from './support/daemon.ts'
import { apply, pins, useLab, web } from './support/lb.ts'
import { until } from './support/until.ts'

/** How the daemon is run: by whom, by which service manager, how it ends. */

const lab = useLab({ backends: 3 })
const weighted = (first: number) => web(lab(), [first, 90 - first, 10])
const unit = join(root, 'packaging/systemd/lb.service')

const NOBODY = 65534
const drop = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']
const caps = '+bpf,+net_admin'
const asService = [
  'setpriv',
  ...drop,
  `--inh-caps=${caps}`,
  `--ambient-caps=${caps}`,
  `--bounding-set=-all,${caps}`,
  '--no-new-privs',
]

test('the unit is one that systemd takes, and gives two capabilities and no more', async () => {
  // systemd looks for the program, which is wherever lb was installed.
  const text = readFileSync(unit, 'utf8').replace('/usr/bin/lb', '/bin/true')
  const copy = lab().write('lb.service', text)
  const verified = await run(['systemd-analyze', 'verify', '--man=no', copy])
  expect(verified).toMatchObject({ code: 0, stderr: '' })
  await mustRun(['systemd-analyze', 'security', '--offline=yes', '--threshold=25', copy])
  for (const key of ['AmbientCapabilities', 'CapabilityBoundingSet']) {
    expect(text.match(new RegExp(`^${key}=(.*)$`, 'm'))?.[1]).toBe('CAP_BPF CAP_NET_ADMIN')
  }
})

test('with exactly the capabilities of the unit it runs, reloads, and is asked', async () => {
  // What the unit has its service manager do.
  mkdirSync(pins(lab()), { recursive: true })
  mkdirSync(runDir(lab()))
  for (const path of [pins(lab()), runDir(lab()), lab().folder]) chownSync(path, NOBODY, NOBODY)
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), [], { wrap: asService })
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
  expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(String(NOBODY))
  for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    // Bits 12 and 39 of linux/capability.h.
    expect(new RegExp(`^${set}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1]).toBe('0000008000001000')
  }
  expect((await lab().client.requests({ address: vip.ipv4, port: 80, count: 10 })).failures).toEqual([])
  lab().write('lb.yaml', weighted(20))
  await daemon.line({ event: 'reload', outcome: 'applied' })
  expect(await ask(lab(), 'POST', '/v1/reload')).toMatchObject({ status: 200, body: { pid: daemon.pid } })
  const socket = statSync(join(runDir(lab()), `${lab().instance}.sock`))
  expect(socket.mode & 0o777).toBe(0o660)
  daemon.signal('SIGTERM')
  expect(await daemon.ended).toBe(0)
  expect(daemon.errors()).toBe('')
})

test('a stop leaves the data plane as it is, and nothing else behind', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab())
  await using traffic = await lab().client.startTraffic({ address: vip.ipv4, port: 80 })
  await traffic.passed(20)
  daemon.signal('SIGTERM')
  expect(await daemon.line({ event: 'stop' })).toMatchObject({ signal: 'SIGTERM' })
  expect(await daemon.ended).toBe(0)
  await traffic.passed(50)
  expect((await traffic.stop()).failures).toEqual([])
  expect(existsSync(join(runDir(lab()), `${lab().instance}.sock`))).toBe(false)
})

test('--detach-on-exit takes the data plane away', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), ['--detach-on-exit'])
  daemon.signal('SIGINT')
  expect(await daemon.ended).toBe(0)
  expect(existsSync(pins(lab()))).toBe(false)
})

test('a second daemon of an instance is refused, and told by whom; a killed one is no obstacle', async () => {
  lab().write('lb.yaml', weighted(50))
  const first = await watch(lab())
  const { code, stdout, stderr } = await lab().lbCli(['watch'], { env: daemonEnv(lab()) })
  expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
  expect(stderr).toMatch(
    new RegExp(`instance ${lab().instance} has a daemon already: process ${first.pid} \\(.*watch`),
  )
  await first.kill()
  await using second = await watch(lab())
  expect(second.lines.find(({ event }) => event === 'reload')).toMatchObject({ outcome: 'unchanged' })
})

test('what goes wrong before it can begin is said like any command says it', async () => {
  lab().write('lb.yaml', weighted(50))
  const file = lab().write('a-file', '')
  const blocked = await lab().lbCli(['watch'], {
    env: { ...daemonEnv(lab()), LB_RUN_DIR: join(file, 'run') },
  })
  expect(blocked.code).toBe(1)
  expect(blocked.stderr).toMatch(/cannot use the run directory .*\n.*LB_RUN_DIR/)
  expect(await lab().lbCli(['watch', '-c', '-'], { env: daemonEnv(lab()) })).toMatchObject({ code: 3 })
})

test('the service manager is told when it is ready, reloads and stops, and that it lives', async () => {
  lab().write('lb.yaml', weighted(50))
  const address = join(lab().folder, 'notify')
  const listener = lab().lb.spawn(['python3', '-uc', LISTEN, address])
  const lines = createInterface({ input: listener.stdout! })
  const told: string[] = []
  lines.on('line', (line) => told.push(line))
  await once(lines, 'line')
  await using daemon = await watch(lab(), [], { env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '300000' } })
  const states = () => told.map((line) => line.split(/[ =]/)[0]).filter((state) => state !== 'WATCHDOG')
  await until('ready', () => states().includes('READY'))
  expect(told.find((line) => line.startsWith('READY'))).toBe(
    'READY=1 STATUS=generation 1 serves; files and kernel: in-sync',
  )
  daemon.signal('SIGHUP')
  await until('ready again', () => states().at(-1) === 'READY' && states().length > 2)
  const alive = () => told.filter((line) => line === 'WATCHDOG=1').length
  await until('signs of life', () => alive() > 2)
  daemon.signal('SIGTERM')
  await daemon.ended
  await until('stopping', () => states().includes('STOPPING'))
  expect(states()).toEqual(['bound', 'READY', 'RELOADING', 'READY', 'STOPPING'])
  expect(told.find((line) => line.startsWith('RELOADING'))).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+$/)
})

/** Prints each datagram on a line. */
const LISTEN = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound')
while True: print(s.recv(4096).decode().replace('\\n', ' '))`

test('at a terminal it writes for people', async () => {
  const file = lab().write('lb.yaml', JSON.stringify(weighted(50)).replace('"version"', '"versoin"'))
  const words = lab().lbCommand(['watch', '-c', file]).join(' ')
  const child = lab().lb.spawn(['script', '--quiet', '--flush', '--command', words, '/dev/null'], {
    env: { ...daemonEnv(lab()), TERM: 'xterm', NO_COLOR: '1' },
  })
  let screen = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (screen += text))
  await until('ready', () => screen.includes('ready'))
  expect(screen).toMatch(
    /\d\d:\d\d:\d\d\.\d{3} error reload {3}the configuration is wrong; nothing was changed/,
  )
  expect(screen).toMatch(/ {4}error: .*versoin.*\r?\n.*--> /)
  // Control-C.
  child.stdin?.write('\u0003')
  await once(child, 'close')
  expect(screen).toContain('SIGINT: stops')
})

test('its socket takes so much and no more', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab())
  expect(await ask(lab(), 'GET', '/v1/nothing')).toMatchObject({ status: 404, body: { error: {} } })
  expect(await ask(lab(), 'DELETE', '/v1/status')).toMatchObject({ status: 405 })
  expect(await ask(lab(), 'POST', '/v1/reload', 'not json')).toMatchObject({ status: 400 })
  expect(await ask(lab(), 'POST', '/v1/reload', `"${'x'.repeat(70_000)}"`)).toMatchObject({ status: 413 })
  const path = join(runDir(lab()), `${lab().instance}.sock`)
  const open = Array.from({ length: 40 }, () => connect(path).on('error', () => undefined))
  await until('some are closed', () => open.filter(({ closed }) => closed).length >= 8)
  for (const socket of open) socket.destroy()
  await until(
    'it answers again',
    async () => (await ask(lab(), 'GET', '/v1/status').catch(() => undefined))?.status === 200,
  )
  expect(daemon.errors()).toBe('')
})

test('a log level leaves out what is less', async () => {
  await apply(lab(), weighted(50))
  await using daemon = await watch(lab(), ['--log-level', 'warn'], { ready: false })
  await until('it listens', () => existsSync(join(runDir(lab()), `${lab().instance}.sock`)))
  chmodSync(lab().write('lb.yaml', 'version: 2'), 0o644)
  expect(await daemon.line({ level: 'error' })).toMatchObject({ event: 'reload' })
  expect(daemon.lines).toHaveLength(1)
})
