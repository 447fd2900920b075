import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Settings } from '../../src/engine/model/snapshot.ts'
import type { StatusDocument } from '../../src/engine/model/status.ts'
import { vip } from '../support/lab/topology.ts'
import { dump, update } from './support/bpftool.ts'
import { daemonEnv, watch } from './support/daemon.ts'
import { apply, config, pins, proxy, targets, useLab, web } from './support/lb.ts'

/** lb status, with a daemon and without. */

const lab = useLab({ backends: 3 })

const checks = {
  healthCheckEnabled: true,
  healthCheckDefaults: { type: 'tcp', intervalMs: 1000, unhealthyThreshold: 1 },
} as unknown as Partial<Settings>

const status = () => lab().lbMust(['status'], { env: daemonEnv(lab()) })
const document = async () =>
  JSON.parse(await lab().lbMust(['status', '--json'], { env: daemonEnv(lab()) })) as StatusDocument

test('without a daemon it shows what the maps tell, and says so', async () => {
  expect(await status()).toMatch(/Serving +nothing is applied\nDaemon +none runs/)
  await apply(lab(), web(lab(), [50, 30, 20]))
  await using connection = await lab().client.connect({ address: vip.ipv4, port: 80 })
  const text = await status()
  expect(text).toMatch(/Serving +generation 1, made \d+ s ago by root from lb.yaml/)
  expect(text).toMatch(/Daemon +none runs: what follows is what the kernel's maps tell/)
  expect(text).toMatch(/back0 +tcx \(auto\) +backend\nfront0 +tcx \(auto\) +listen/)
  expect(text).toMatch(/web {2}203\.0\.113\.10:80\/tcp on front0: 1 connection\n/)
  expect(text).toMatch(/10\.0\.0\.12:8080 +30 +30 % +30 % +- +[01] +- +closed +-\n/)
  const { daemon, proxies, drift } = await document()
  expect({ daemon, drift }).toEqual({ daemon: null, drift: [] })
  expect(proxies[0]!.targets.map(({ share, cause }) => [share, cause])).toEqual(
    [50, 30, 20].map((share) => [share, 'configured']),
  )
  expect(connection.backend).toMatch(/^b/)
  const members = pins(lab(), 'gen', '1', 'members')
  const [first] = await dump(members)
  await update(members, { key: first!.key, value: first!.value.map((byte, i) => (i === 4 ? 99 : byte)) })
  expect(await status()).toMatch(/Drift +the maps were changed in \d+ places?: proxy\.web/)
})

test('with a daemon: its files, its last reload, what differs, and why each target has what it has', async () => {
  const list = targets(lab().backends, { weights: [50, 30, 20] })
  const content = config(
    [
      {
        ...proxy('web', list),
        sourceRoutes: [{ source: '10.9.0.0/16', targets: [list[2]!].map(({ ip, port }) => ({ ip, port })) }],
      },
    ],
    { settings: checks },
  )
  const file = lab().write('lb.yaml', content)
  await using daemon = await watch(lab())
  for (const _ of lab().backends) await daemon.line({ event: 'health', state: 'healthy' })
  await lab().backends[1]!.stop()
  await daemon.line({ event: 'health', state: 'unhealthy' })
  const text = await status()
  expect(text).toMatch(
    new RegExp(`Daemon +process ${daemon.pid}, for \\d+ s; approve: auto, onDrift: report`),
  )
  expect(text).toMatch(
    /Files +lb\.yaml\nKernel +as the files say\nReload +applied \d+ s ago \(start, [\d.]+ ms\)/,
  )
  expect(text).toMatch(/\(default\) +10\.0\.0\.11:8080 +50 +50 % +71 % +- .* healthy for \d+ s\n/)
  expect(text).toMatch(
    /\(default\) +10\.0\.0\.12:8080 +30 +30 % +0 % +health .* unhealthy for \d+ s: connection refused.*, \d+ s ago\n/,
  )
  expect(text).toMatch(/10\.9\.0\.0\/16 +10\.0\.0\.13:8080 +- +100 % +100 % +- /)
  const { daemon: known, proxies } = await document()
  expect(known).toMatchObject({ pid: daemon.pid, agreement: { state: 'in-sync' }, files: { state: 'valid' } })
  expect(proxies[0]!.targets[1]).toMatchObject({
    effectiveShare: 0,
    cause: 'health',
    health: { state: 'unhealthy', last: { ok: false, error: expect.stringContaining('refused') as string } },
  })
  // What is known stays known, but for the error.
  await daemon.kill()
  expect(await status()).toMatch(/10\.0\.0\.12:8080 +30 +30 % +0 % +health .* unhealthy for \d+ s\n/)

  await using second = await watch(lab())
  lab().write('lb.yaml', 'version: 1\nproxis: []\n')
  await second.line({ event: 'reload', outcome: 'invalid' })
  expect(await status()).toMatch(/Files +lb\.yaml: wrong; error: Unknown key `proxis`/)
  lab().write('other.yaml', web(lab(), [10, 20, 70]))
  await lab().lbMust(['apply', '--yes', '-c', 'other.yaml'])
  await second.line({ event: 'drift' })
  expect(await status()).toMatch(/Kernel +differs from the files, and is left so: \d+ changes: /)
  expect(file).toContain('lb.yaml')
  await lab().backends[1]!.start()
})

test('a daemon that may not be asked is no missing daemon', async () => {
  lab().write('lb.yaml', web(lab()))
  await using _daemon = await watch(lab())
  const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  chmodSync(lab().folder, 0o755)
  const { code, stderr } = await lab().lbCli(['status'], { env: daemonEnv(lab()), wrap: drop })
  expect(code).toBe(1)
  expect(stderr).toMatch(/cannot ask the daemon at .*: no right to\n {2}hint: .*group lb/)
})
