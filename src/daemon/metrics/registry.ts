/** All metrics, in the names of the reference system where it has them. Read from the maps at each scrape. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CounterSnapshot } from '../../engine/model/counters.ts'
import { formatEndpoint } from '../../engine/model/ip.ts'
import type { ProbeResult } from '../../engine/model/probe.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { StatusDocument } from '../../engine/model/status.ts'
import { totalsOf } from './traffic.ts'
import type { Totals } from './traffic.ts'

/** What a scrape sees. */
export interface Reading {
  readonly status: StatusDocument
  readonly counters: CounterSnapshot
  readonly algorithm: string
}

export interface Metrics {
  readonly probed: (key: TargetKey, result: ProbeResult) => void
  readonly scrape: (reading: Reading) => Promise<string>
  readonly contentType: string
}

const TARGET = ['proxy_name', 'target_ip', 'target_port'] as const
const BACKEND = ['target_ip', 'target_port'] as const
const CIRCUIT = { closed: 0, open: 1, 'half-open': 2 } as const
const OUTCOMES = ['applied', 'unchanged', 'invalid', 'pending', 'refused', 'released', 'drifted', 'failed']

export function makeMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers })
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers })

  const up = gauge('lb_up', 'Whether a generation serves and the daemon runs (1 up, 0 down).')
  const info = gauge('lb_info', 'Version of the daemon.', ['version', 'instance'])
  const generation = gauge('lb_generation', 'The generation that serves; 0 none.')
  const active = gauge('lb_connections_active', 'Connections that are not over.', BACKEND)
  const bytes = counter('lb_bytes_total', 'Bytes, forward to backends and reverse to clients.', [
    ...BACKEND,
    'direction',
  ])
  const packets = counter('lb_packets_total', 'Packets, forward to backends and reverse to clients.', [
    ...BACKEND,
    'direction',
  ])
  const health = gauge('lb_backend_health', 'Whether a target is held to be healthy (1) or not (0).', TARGET)
  const share = gauge('lb_backend_share_ratio', 'Part of new connections that a default target gets.', TARGET)
  const connections = gauge(
    'lb_backend_connections',
    'Connections of a target, as balancing counts them.',
    TARGET,
  )
  const circuit = gauge(
    'lb_circuit_breaker_state',
    'Circuit of a target: 0 closed, 1 open, 2 half-open.',
    TARGET,
  )
  const errors = gauge(
    'lb_circuit_breaker_error_rate',
    'Part of failed requests in the window, 0 to 1.',
    TARGET,
  )
  const names = gauge('lb_dns_resolution_status', 'Whether a name could be resolved last (1) or not (0).', [
    'proxy_name',
    'hostname',
  ])
  const algorithm = gauge('lb_algorithm', 'The algorithm that chooses targets.', ['algorithm'])
  const reloads = counter('lb_reloads_total', 'Reloads since the daemon started, by what came of them.', [
    'outcome',
  ])
  const reloadAt = gauge('lb_last_reload_timestamp_seconds', 'When the last reload was done.')
  const valid = gauge('lb_config_valid', 'Whether the configuration files are right (1) or not (0).')
  const inSync = gauge('lb_in_sync', 'Whether the kernel is as the files say (1) or not (0).')
  const drift = gauge('lb_drift_changes', 'Changes that would make the kernel as the files say.')
  const latency = new Histogram({
    name: 'lb_health_check_latency_seconds',
    help: 'How long health checks took.',
    labelNames: ['proxy_name', 'target_id'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const probedTargets = new Map<string, { proxy_name: string; target_id: string }>()
  let totals: ReadonlyMap<string, Totals> = new Map()

  const setTraffic = (counters: CounterSnapshot): void => {
    totals = totalsOf(counters, totals)
    for (const metric of [bytes, packets]) metric.reset()
    for (const { ip, port, bytes: b, packets: p } of totals.values()) {
      for (const direction of ['forward', 'reverse'] as const) {
        const labels = { target_ip: ip, target_port: port, direction }
        bytes.inc(labels, b[direction])
        packets.inc(labels, p[direction])
      }
    }
  }
  const setTargets = ({ proxies, daemon }: StatusDocument): void => {
    for (const metric of [active, health, share, connections, circuit, errors, names]) metric.reset()
    const failing = new Set(daemon?.names.filter(({ error }) => error !== null).map(({ host }) => host))
    const seen = new Set<string>()
    for (const { name: proxy_name, targets } of proxies) {
      for (const target of targets) {
        const target_port = String(target.port)
        const labels = { proxy_name, target_ip: target.ip, target_port }
        active.set({ target_ip: target.ip, target_port }, target.connections)
        health.set(labels, target.health.state === 'unhealthy' ? 0 : 1)
        connections.set(labels, target.connections)
        circuit.set(labels, CIRCUIT[target.breaker.state])
        errors.set(labels, target.breaker.errorRate ?? 0)
        if (target.source === null) share.set(labels, target.effectiveShare / 100)
        if (target.host !== null)
          names.set({ proxy_name, hostname: target.host }, failing.has(target.host) ? 0 : 1)
        seen.add(`${proxy_name} ${formatEndpoint(target.ip, target.port)}`)
      }
    }
    for (const [id, labels] of probedTargets) {
      if (seen.has(id)) continue
      latency.remove(labels)
      probedTargets.delete(id)
    }
  }
  const setDaemon = ({ daemon, generation: serving, instance }: StatusDocument): void => {
    if (!daemon) return
    info.reset()
    reloads.reset()
    up.set(serving === null ? 0 : 1)
    info.set({ version: daemon.version, instance }, 1)
    generation.set(serving?.number ?? 0)
    for (const outcome of OUTCOMES) reloads.inc({ outcome }, daemon.reloads[outcome] ?? 0)
    if (daemon.lastReload) reloadAt.set(Date.parse(daemon.lastReload.at) / 1000)
    valid.set(daemon.files.state === 'valid' ? 1 : 0)
    const { state, summary } = daemon.agreement
    inSync.set(state === 'in-sync' ? 1 : 0)
    drift.set(summary ? summary.create + summary.update + summary.delete : 0)
  }
  return {
    contentType: registry.contentType,
    probed({ proxy, ip, port }, { latencyMs }) {
      const labels = { proxy_name: proxy, target_id: formatEndpoint(ip, port) }
      probedTargets.set(`${proxy} ${labels.target_id}`, labels)
      latency.observe(labels, latencyMs / 1000)
    },
    scrape({ status, counters, algorithm: chosen }) {
      setDaemon(status)
      setTargets(status)
      setTraffic(counters)
      algorithm.reset()
      algorithm.set({ algorithm: chosen }, 1)
      return registry.metrics()
    },
  }
}
