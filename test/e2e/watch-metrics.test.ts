import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Settings } from '../../src/engine/model/snapshot.ts'
import { vip } from '../support/lab/topology.ts'
import { watch } from './support/daemon.ts'
import { config, proxy, targets, useLab } from './support/lb.ts'
import { until } from './support/until.ts'

/** Metrics, as Prometheus takes them. */

const lab = useLab({ backends: 3 })
const PORT = 9101

const settings = {
  healthCheckEnabled: true,
  healthCheckDefaults: { type: 'tcp', intervalMs: 1000, unhealthyThreshold: 1 },
  circuitBreaker: { enabled: true },
  metrics: { enabled: true, port: PORT },
} as unknown as Partial<Settings>

const content = (weights: readonly number[], over: Partial<Settings> = settings) =>
  config([proxy('web', targets(lab().backends, { weights }))], { settings: over })

const get = (path = '/metrics', port = PORT) =>
  lab().lb.run(['curl', '-sf', `http://127.0.0.1:${port}${path}`])
const scrape = async () => (await get()).stdout

/** The values of a metric, by labels. */
function values(text: string, name: string): Record<string, number> {
  const found = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))]
  return Object.fromEntries(found.map(([, labels = '', value]) => [labels, Number(value)]))
}
const sum = (found: Record<string, number>) => Object.values(found).reduce((a, b) => a + b, 0)

const NAMES = `lb_up lb_info lb_connections_active lb_bytes_total lb_packets_total lb_backend_health
lb_backend_connections lb_health_check_latency_seconds lb_dns_resolution_status lb_circuit_breaker_state
lb_circuit_breaker_error_rate lb_algorithm lb_reloads_total lb_drift_changes lb_in_sync`.split(/\s+/)

test('they have the names of the reference, pass promtool, and only grow, whoever starts anew', async () => {
  lab().write('lb.yaml', content([50, 30, 20]))
  const first = await watch(lab())
  await first.line({ event: 'metrics' })
  await lab().client.requests({ address: vip.ipv4, port: 80, count: 50 })
  for (const _ of lab().backends) await first.line({ event: 'health', state: 'healthy' })
  const text = await scrape()
  for (const name of NAMES)
    expect(text).toMatch(new RegExp(`^# TYPE ${name} (gauge|counter|histogram)$`, 'm'))
  const { code, stdout, stderr } = await lab().lb.run(['promtool', 'check', 'metrics'], { input: text })
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
  const one = `target_ip="${lab().backends[0]!.address.ipv4}",target_port="8080"`
  expect(values(text, 'lb_backend_health')[`proxy_name="web",${one}`]).toBe(1)
  expect(values(text, 'lb_packets_total')[`${one},direction="forward"`]).toBeGreaterThan(50)
  expect(values(text, 'lb_reloads_total')['outcome="applied"']).toBe(1)
  expect(
    values(text, 'lb_health_check_latency_seconds_count')['proxy_name="web",target_id="10.0.0.11:8080"'],
  ).toBeGreaterThan(0)
  await lab().backends[2]!.stop()
  await first.line({ event: 'health', state: 'unhealthy' })
  expect(Object.values(values(await scrape(), 'lb_backend_health')).sort()).toEqual([0, 1, 1])
  expect(Math.max(...Object.values(values(await scrape(), 'lb_circuit_breaker_error_rate')))).toBeGreaterThan(
    0,
  )
  await lab().backends[2]!.start()

  // A wrong file shows; another daemon and another generation take nothing off.
  lab().write('lb.yaml', 'version: 3')
  await first.line({ event: 'reload', outcome: 'invalid' })
  expect(values(await scrape(), 'lb_config_valid')['']).toBe(0)
  const before = await scrape()
  await first.kill()
  lab().write('lb.yaml', content([20, 30, 50]))
  await using second = await watch(lab())
  await second.line({ event: 'metrics' })
  const after = await scrape()
  for (const name of ['lb_bytes_total', 'lb_packets_total']) {
    const [old, now] = [values(before, name), values(after, name)]
    expect(Object.keys(now)).toEqual(Object.keys(old))
    for (const [labels, value] of Object.entries(old)) expect(now[labels]).toBeGreaterThanOrEqual(value)
  }
  expect(sum(values(after, 'lb_bytes_total'))).toBeGreaterThan(0)
  expect(values(after, 'lb_generation')['']).toBe(2)
  expect((await get('/other')).code).toBe(22)
})

test('a Prometheus scrapes them', async () => {
  lab().write('lb.yaml', content([50, 30, 20]))
  await using daemon = await watch(lab())
  await daemon.line({ event: 'metrics' })
  const file = lab().write(
    'prometheus.yml',
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'lb', static_configs: [{ targets: [`127.0.0.1:${PORT}`] }] }],
    }),
  )
  const server = lab().lb.spawn([
    'prometheus',
    `--config.file=${file}`,
    `--storage.tsdb.path=${lab().folder}/tsdb`,
    '--web.listen-address=127.0.0.1:9199',
  ])
  const query = async (text: string) => {
    const { code, stdout } = await get(`/api/v1/query?query=${encodeURIComponent(text)}`, 9199)
    if (code !== 0) return undefined
    const { data } = JSON.parse(stdout) as { data: { result: { value: [number, string] }[] } }
    return data.result.map(({ value }) => Number(value[1]))
  }
  try {
    await until('it has seen us up', async () => (await query('lb_up'))?.[0] === 1)
    await lab().client.requests({ address: vip.ipv4, port: 80, count: 20 })
    await until('it has seen packets', async () => ((await query('sum(lb_packets_total)'))?.[0] ?? 0) > 100)
    expect(await query('up{job="lb"}')).toEqual([1])
    expect(await query('count(lb_backend_health)')).toEqual([3])
  } finally {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  }
})

test('where they are served follows the file; a port that is taken is said, and nothing else suffers', async () => {
  lab().write('lb.yaml', content([50, 30, 20]))
  await using daemon = await watch(lab())
  await daemon.line({ event: 'metrics' })
  const moved = { ...settings, metrics: { enabled: true, port: PORT + 1, path: '/m' } } as Partial<Settings>
  lab().write('lb.yaml', content([50, 30, 20], moved))
  await daemon.line({ event: 'metrics', port: PORT + 1 })
  expect((await get()).code).toBe(7)
  expect((await get('/m', PORT + 1)).code).toBe(0)
  const taken = lab().lb.spawn(['python3', '-um', 'http.server', '--bind', '::', String(PORT + 2)])
  await once(taken.stdout!, 'data')
  const there = { ...settings, metrics: { enabled: true, port: PORT + 2 } } as Partial<Settings>
  lab().write('lb.yaml', content([40, 40, 20], there))
  expect(await daemon.line({ event: 'metrics', level: 'error' })).toMatchObject({ port: PORT + 2 })
  taken.kill('SIGKILL')
  lab().write('lb.yaml', content([50, 30, 20], {}))
  await daemon.line({ event: 'reload', outcome: 'applied' })
  expect((await get('/m', PORT + 1)).code).toBe(7)
})
