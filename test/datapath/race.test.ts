import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import type { Configuration, Hook } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { world } from './support/network.ts'
import type { ConnectionRow } from './support/records.ts'
import type { Frame } from './support/runner.ts'
import { forwardFrame, replyFrame, type Flow } from './support/session.ts'
import { makeTables } from './support/tables.ts'

const PROCESSES = 3
const PARTITIONS = 2

let plane: Dataplane
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), {
    partitions: PARTITIONS,
    sweepCycleMs: 2,
    processes: PROCESSES,
  })
})
afterAll(() => plane.close())

const configuration: Configuration = {
  listeners: [80, 81, 82].flatMap((port) => [
    { device: 'client0', address: '0.0.0.0', port, protocol: 'tcp' as const, group: 'v4' },
    { device: 'client0', address: '::', port, protocol: 'tcp' as const, group: 'v6' },
  ]),
  groups: {
    v4: [2, 3].map((host) => ({ ip: `10.2.0.${host}`, port: 80 })),
    v6: [2, 3].map((host) => ({ ip: `fd02::${host}`, port: 80 })),
  },
}

/** Few connections, so that CPUs meet at the same ones: opened, closed by either side, opened again. */
function traffic(seed: number, count: number): Frame[] {
  const pick = <T>(list: readonly T[], i: number): T =>
    list[(((seed + i) * 2654435761) % 4294967296) % list.length]!
  return Array.from({ length: count }, (_, i): Frame => {
    const six = pick([true, false], i * 3 + 1)
    const flow: Flow = {
      protocol: 'tcp',
      source: six ? 'fd64::1' : '100.64.0.1',
      sourcePort: 4000 + pick([0, 1, 2, 3], i * 5 + 2),
      destination: six ? '2001:db8::10' : '203.0.113.10',
      destinationPort: pick([80, 81, 82], i * 7 + 3),
    }
    const flags = pick(['S', 'S', 'S', 'SA', 'A', 'FA', 'R'], i * 11 + 4)
    if (pick([true, false, false], i * 13 + 5)) {
      const backend = pick(configuration.groups[six ? 'v6' : 'v4']!, i * 17 + 6)
      return { data: replyFrame(flow, backend, { flags }), device: 'server0' }
    }
    return { data: forwardFrame(flow, { flags }), device: 'client0' }
  })
}

function sweepRuns(): number {
  using map = plane.object.map('sweep')
  return rowsOver('lb_sweep', map.lookup(u32(0))!).get(0, 'runs')
}

/** Waits until all partitions have been walked often enough for every half to have been compared. */
async function sweptOften(): Promise<void> {
  const until = sweepRuns() + PARTITIONS * 10
  while (sweepRuns() < until) await delay(1)
}

function live(): { opened: number; closed: number } {
  return [0, 1, 2, 3, 4, 5, 6, 7]
    .map((row) => plane.counters(row))
    .reduce((sum, { opened, closed }) => ({ opened: sum.opened + opened, closed: sum.closed + closed }), {
      opened: 0,
      closed: 0,
    })
}

const key = ({ source, destination }: Pick<ConnectionRow, 'source' | 'destination'>): string =>
  `${source.ip} ${source.port} > ${destination.ip} ${destination.port}`

/** Records whose other half is missing or another connection's. */
function unpaired(rows: readonly ConnectionRow[]): ConnectionRow[] {
  const byKey = new Map(rows.map((row) => [key(row), row]))
  return rows.filter((row) => {
    const other = byKey.get(
      row.reverse
        ? key({ source: row.destination, destination: row.nat })
        : key({ source: row.nat, destination: row.source }),
    )
    return !other || other.reverse === row.reverse || other.state !== row.state
  })
}

test('CPUs that open and close the same connections, and the sweep, leave pairs and exact counts', async () => {
  plane.configure(configuration)
  using sweep = plane.object.program('lb_sweep_start')
  expect(sweep.testRun({ data: new Uint8Array(64) }).retval).toBe(0)
  const instant = Object.fromEntries(
    ['syn', 'established', 'fin', 'time_wait', 'reset'].map((state) => [`tcp_${state}_sec`, 0]),
  )
  const hooks: readonly Hook[] = ['xdp', 'ingress']
  for (const [round, timeouts] of [instant, {}, instant, {}].entries()) {
    plane.fill(0, { settings: makeTables(configuration, world, plane.devices, timeouts)['settings']! })
    await plane.race(
      Array.from({ length: PROCESSES }, (_, process) =>
        hooks.map((hook, i) => [hook, traffic(round * 1000 + process * 100 + i, 4000)] as const),
      ),
    )
    const rows = plane.connections()
    if (timeouts !== instant) {
      expect(unpaired(rows)).toEqual([])
      const { opened, closed } = live()
      expect(opened - closed).toBe(rows.length / 2)
      expect(closed).toBeGreaterThan(100)
    }
  }
  plane.fill(0, { settings: makeTables(configuration, world, plane.devices, instant)['settings']! })
  await sweptOften()
  expect(plane.connections()).toEqual([])
  const { opened, closed } = live()
  expect(closed).toBe(opened)
})
