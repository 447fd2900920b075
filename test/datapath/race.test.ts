import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enums } from '../../src/engine/abi/layout.generated.ts'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import { BpfObject } from '../../native/index.ts'
import type { Configuration, Tally } from '../support/model.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { world } from './support/network.ts'
import type { ConnectionRow } from './support/records.ts'
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

const FRAMES = 1024

/** Few connections, so that CPUs meet at the same ones: opened, closed by either side, opened again. */
function traffic(): Uint8Array[] {
  const flows = [80, 81, 82].flatMap((destinationPort) =>
    [4000, 4001].flatMap((sourcePort): Flow[] => {
      const ports = { protocol: 'tcp' as const, sourcePort, destinationPort }
      return [
        { ...ports, source: '100.64.0.1', destination: '203.0.113.10' },
        { ...ports, source: 'fd64::1', destination: '2001:db8::10' },
      ]
    }),
  )
  return flows.flatMap((flow) => {
    const six = flow.source.includes(':')
    const trailer = six ? 0 : 20
    const replies = configuration.groups[six ? 'v6' : 'v4']!.flatMap((backend) =>
      ['SA', 'FA', 'R'].map((flags) => replyFrame(flow, backend, { flags, trailer }, 'client0')),
    )
    const forward = ['S', 'S', 'S', 'S', 'A', 'FA', 'R'].map((flags) =>
      forwardFrame(flow, { flags, trailer }),
    )
    return [...forward, ...replies]
  })
}

/** Pins programs that hand `lb_xdp` and `lb_tc_ingress` one frame of the traffic after another. */
function pinReplay(): void {
  using object = BpfObject.load(compileBpf('replay'))
  using frames = object.map('frames')
  const all = traffic()
  for (let row = 0; row < FRAMES; row++) frames.update(u32(row), all[row % all.length]!)
  for (const [replay, target] of [
    ['xdp', 'lb_xdp'],
    ['tc', 'lb_tc_ingress'],
  ] as const) {
    using program = plane.object.program(target)
    using targets = object.map(`${replay}_target`)
    targets.update(u32(0), u32(program.fd))
    targets.pin(`${plane.pins}/${replay}_target`)
    using replaying = object.program(`replay_${replay}`)
    replaying.pin(`${plane.pins}/${replay}`)
  }
}

/** tc takes from the frame that a run begins with whom a packet is for, and its family; it leaves others alone. */
const RUNS = ['xdp', 'tc', 'tc'].map((hook, i) => ({
  program: hook,
  first: traffic().find((frame) => frame[12] === (i < 2 ? 0x08 : 0x86))!,
}))

async function race(): Promise<void> {
  await Promise.all(
    plane.runners.map(async (runner, i) => {
      for (const { program, first } of i % 2 === 0 ? RUNS : RUNS.toReversed()) {
        const frames = [{ data: first, device: 'client0' }]
        await runner.run({ program: `${plane.pins}/${program}`, frames, repeat: 150_000 })
      }
    }),
  )
}

/** The share of packets that were left alone for one of the reasons. */
function shareOf(...names: readonly (keyof typeof enums.lb_reason)[]): number {
  using reasons = plane.object.map('reasons')
  const counts = (row: number): number =>
    new BigUint64Array(reasons.lookup(u32(row))!.slice().buffer).reduce((sum, n) => sum + Number(n), 0)
  const all = Object.values(enums.lb_reason).reduce<number>((sum, row) => sum + counts(row), 0)
  return names.reduce((sum, name) => sum + counts(enums.lb_reason[name]), 0) / all
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

function counted(...names: readonly (keyof Tally)[]): number[] {
  const rows = [0, 1, 2, 3, 4, 5, 6, 7].map((row) => plane.counters(row))
  return names.map((name) => rows.reduce((sum, row) => sum + row[name], 0))
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
  pinReplay()
  for (const timeouts of [instant, {}, instant, {}]) {
    plane.fill(0, { settings: makeTables(configuration, world, plane.devices, timeouts)['settings']! })
    await race()
    const rows = plane.connections()
    if (timeouts !== instant) {
      expect(unpaired(rows)).toEqual([])
      const [opened, closed, ended, established, refused] = counted(
        ...(['opened', 'closed', 'ended', 'established', 'refused'] as const),
      )
      expect(opened! - closed!).toBe(rows.length / 2)
      expect(opened! - ended!).toBe(
        rows.filter(({ state }) => !['TIME_WAIT', 'RESET'].includes(state)).length / 2,
      )
      expect(closed).toBeGreaterThan(100)
      // What follows a SYN, refused or answered, is one of the two at most.
      for (const count of [established, refused]) expect(count).toBeGreaterThan(100)
      expect(established! + refused!).toBeLessThanOrEqual(opened!)
    }
  }
  // In two of three runs, half the frames are of the other family.
  expect(shareOf('LB_PASS_NOT_ETHERNET', 'LB_PASS_OTHER_HOST', 'LB_PASS_NO_LISTENER')).toBeLessThan(0.4)
  plane.fill(0, { settings: makeTables(configuration, world, plane.devices, instant)['settings']! })
  await sweptOften()
  expect(plane.connections()).toEqual([])
  const [opened, closed, ended] = counted('opened', 'closed', 'ended')
  expect(closed).toBe(opened)
  expect(ended).toBe(opened)
})
