import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { enums } from '../../src/engine/abi/layout.generated.ts'
import { rowsOver } from '../../src/engine/abi/struct.ts'
import { mustRun } from '../support/lab/run.ts'
import type { Configuration } from '../support/model.ts'
import { compileBpf, pinFolder, u32 } from '../support/native.ts'
import { createDataplane, OBJECT, type Dataplane } from './support/dataplane.ts'
import { forwardFrame, replyFrame, type Flow } from './support/flow.ts'
import { createNetwork, world } from './support/network.ts'
import { loadPlane } from './support/plane.ts'
import { startRunner } from './support/runner.ts'
import { makeTables, type Tables } from './support/tables.ts'

/**
 * What becomes of packets where something is broken: tables that lb would never write, a lock that nobody
 * gives back, a device that goes. LB_DROP_REWRITE_FAILED alone has no test: tc drops a packet for it when
 * the kernel has no memory to make the headers writable, and nothing short of that.
 */

const vip = { 4: '203.0.113.10', 6: '2001:db8::10' } as const
const backend = { 4: '10.2.0.2', 6: 'fd02::2' } as const
const flows: readonly Flow[] = (['tcp', 'udp'] as const).flatMap((protocol) =>
  ([4, 6] as const).map((family) => ({
    protocol,
    source: family === 4 ? '100.64.0.7' : 'fd64::7',
    sourcePort: 4000,
    destination: vip[family],
    destinationPort: 80,
  })),
)

const configuration: Configuration = {
  listeners: flows.map(({ protocol, destination }) => ({
    device: 'client0',
    address: destination,
    port: 80,
    protocol,
    group: destination === vip[4] ? 'v4' : 'v6',
    routes: [],
  })),
  groups: { v4: [{ ip: backend[4], port: 8080 }], v6: [{ ip: backend[6], port: 8080 }] },
}

describe.each(['xdp', 'ingress'] as const)('at %s', (hook) => {
  let plane: Dataplane
  beforeAll(async () => {
    plane = await createDataplane(compileBpf('native'))
  })
  afterAll(() => plane.close())

  /** The reason for each flow's first packet, or what other packet is given. */
  async function reasonsOf(flags = 'S', some: readonly Flow[] = flows): Promise<string[]> {
    const frames = some.map((flow) => ({ data: forwardFrame(flow, { flags }), device: 'client0' }))
    return (await plane.run(hook, frames)).map(({ verdict, reason }) => `${verdict} ${reason}`)
  }

  /** A copy of a table with every row's field set. */
  function spoil(tables: Tables, name: 'listeners' | 'groups' | 'selection', value: number): Tables {
    const table = tables[name]!
    const values = table.values.slice()
    if (name === 'selection') values.set(u32(...Array<number>(values.length / 4).fill(value)))
    else if (name === 'groups') setAll(rowsOver('lb_group', values), 'selection', value)
    else setAll(rowsOver('lb_listener', values), 'group', value)
    return { ...tables, [name]: { ...table, values } }
  }

  function setAll<F extends string>(
    rows: { readonly count: number; set(row: number, field: F, value: number): void },
    field: F,
    value: number,
  ): void {
    for (let row = 0; row < rows.count; row++) rows.set(row, field, value)
  }

  test.each([
    ['a group', 'listeners'],
    ['entries of the selection', 'groups'],
    ['a target', 'selection'],
  ] as const)('%s that is not there, in %s: nothing is opened', async (_, name) => {
    const tables = makeTables(configuration, world, plane.devices)
    for (const row of [99, 2 ** 32 - 1]) {
      plane.reset()
      plane.fill(1, spoil(tables, name, row))
      plane.activate(1)
      expect(await reasonsOf()).toEqual(flows.map(() => 'drop LB_DROP_BAD_TABLE'))
      expect(plane.connections()).toEqual([])
      expect(plane.live()).toBe(0)
    }
  })

  test.each([
    ['listeners', 'pass LB_PASS_NO_LISTENER'],
    ['groups', 'drop LB_DROP_BAD_TABLE'],
    ['selection', 'drop LB_DROP_BAD_TABLE'],
    ['backends', 'drop LB_DROP_BAD_TABLE'],
    // Nothing that this configuration needs.
    ['routes', 'redirect LB_REDIRECT'],
    ['settings', 'redirect LB_REDIRECT'],
  ])('a slot without %s: %s', async (name, wanted) => {
    plane.reset()
    plane.fill(2, makeTables(configuration, world, plane.devices))
    using outer = plane.object.map(name)
    outer.delete(u32(2))
    plane.activate(2)
    expect(await reasonsOf()).toEqual(flows.map(() => wanted))
    expect(plane.live()).toBe(wanted.startsWith('redirect') ? flows.length : 0)
  })

  test('locks that are never given back: known connections go on, none is opened or changed', async () => {
    plane.configure(configuration)
    const [known, ...others] = flows as [Flow, ...Flow[]]
    expect(await reasonsOf('S', [known])).toEqual(['redirect LB_REDIRECT'])
    using locks = plane.object.map('conn_locks')
    const { keys, values } = locks.readAll()
    const held = rowsOver('lb_lock', values.slice())
    setAll(held, 'held', 1)
    locks.updateBatch(keys, held.bytes)
    onTestFinished(() => {
      using again = plane.object.map('conn_locks')
      again.updateBatch(keys, new Uint8Array(values.length))
    })
    expect(await reasonsOf('S', others)).toEqual(others.map(() => 'drop LB_DROP_CONN_BUSY'))
    expect(await reasonsOf('R', [known])).toEqual(['redirect LB_REDIRECT'])
    const data = replyFrame(known, { ip: backend[4], port: 8080 }, { flags: 'SA' })
    const [reply] = await plane.run(hook, [{ data, device: 'server0' }])
    expect(reply!.reason).toBe('LB_REDIRECT')
    expect(plane.connections().map(({ state }) => state)).toEqual(['SYN', 'SYN'])
    expect(plane.live()).toBe(1)

    locks.updateBatch(keys, values)
    expect(await reasonsOf('S', others)).toEqual(others.map(() => 'redirect LB_REDIRECT'))
    expect(await reasonsOf('R', [known])).toEqual(['redirect LB_REDIRECT'])
    expect(plane.connections().filter(({ state }) => state === 'RESET')).toHaveLength(2)
    expect(plane.live()).toBe(flows.length)
  })
})

/**
 * The kernel refuses to look up a route for a device that it has taken from its list while a packet of it was
 * on the way. At tc alone: a device that goes takes XDP's queue with it, under a run as well.
 */
test.each(flows)('a device that goes, $protocol to $destination', async (flow) => {
  const network = await createNetwork()
  onTestFinished(() => network.remove())
  const runner = await startRunner(network.namespace)
  onTestFinished(() => runner.close())
  const plane = loadPlane(OBJECT)
  onTestFinished(() => plane.close())
  const pins = pinFolder()
  using program = plane.object.program('lb_tc_ingress')
  program.pin(`${pins}/program`)
  using reasons = plane.object.map('reasons')
  const count = (reason: keyof typeof enums.lb_reason): bigint =>
    new BigUint64Array(reasons.lookup(u32(enums.lb_reason[reason]))!.slice().buffer).reduce((a, b) => a + b)
  const counted = (reason: keyof typeof enums.lb_reason): Promise<void> =>
    vi.waitFor(() => expect(count(reason), reason).toBeGreaterThan(0n), { timeout: 20_000, interval: 2 })

  // A target that is the listener itself, and that no route leads to: a packet stays as it is, again and again.
  const device = 'bare0'
  const listener = { device, address: flow.destination, port: 80, protocol: flow.protocol, group: 'self' }
  const groups = { self: [{ ip: flow.destination, port: 80 }] }
  plane.reset()
  plane.fill(0, makeTables({ listeners: [listener], groups }, world, runner.devices))
  plane.activate(0)
  const frames = [{ data: forwardFrame(flow, { flags: 'S' }, device), device }]
  const running = runner.run({ program: `${pins}/program`, frames, repeat: 2 ** 31 - 1 })
  running.catch(() => undefined)
  await counted('LB_STACK_NOT_FORWARDED')
  // Waits until the last run on the device has ended.
  const deleted = mustRun(['nsenter', `--net=/run/netns/${network.namespace}`, 'ip', 'link', 'del', device])
  deleted.catch(() => undefined)
  await counted('LB_STACK_FIB_FAILED')
  await runner.close()
  await deleted
  expect(plane.live()).toBe(1)
})
