import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBtf, type BpfObject } from '../../native/index.ts'
import { compileBpf, u32 } from '../support/native.ts'
import { flipDuring } from './flip/flipper.ts'
import {
  FAMILIES,
  GENERATIONS,
  TABLES,
  tableOf,
  type Generation,
  type TableName,
} from './flip/generations.ts'
import { createJudge, loadSharing, type Judge, type Judgement } from './flip/judge.ts'
import {
  standingFlows,
  standingScenarios,
  startScenarios,
  type FlipHook,
  type Scenario,
} from './flip/scenarios.ts'
import { createDataplane, type Dataplane } from './support/dataplane.ts'
import { forwardFrame, type Flow } from './support/flow.ts'

/**
 * A packet meets one generation. Two of them, A and B, differ in every table that packets meet; all that
 * becomes of a packet has to be what the tables of the one or those of the other make of it.
 */

const PARTITIONS = 4
const SLOTS = { A: 3, B: 11, mixed: 7 } as const
const HOOKS = ['xdp', 'ingress'] as const
/** Packets in one run, and in one of a data plane whose fault will show soon. */
const RUN = { sound: 100_000, faulty: 20_000 } as const
/** How many packets are enough, and when to give up on what else is waited for. */
const PACKETS = { enough: 1_000_000, most: 20_000_000 } as const
/** Of each scenario, packets that met A, and packets that met B. */
const OFTEN = 500
/** Flips that packets have seen. */
const TURNS = 5000

let plane: Dataplane
let judge: Judge
beforeAll(async () => {
  plane = await createDataplane(compileBpf('native'), { partitions: PARTITIONS })
  plane.reset()
  for (const generation of GENERATIONS) fill(SLOTS[generation], () => generation)
  plane.activate(SLOTS.A)
  const scenarios = await scenariosOf()
  judge = createJudge(plane, PARTITIONS, { xdp: scenarios('xdp'), ingress: scenarios('ingress') })
  judge.aim(plane.object)
})
afterAll(() => plane.close())
afterAll(() => judge[Symbol.dispose]())

function fill(slot: number, generationOf: (table: TableName) => Generation): void {
  for (const table of TABLES)
    plane.fill(slot, { [table]: tableOf(table, generationOf(table), plane.devices) })
}

/** Opens the connections that stay. */
async function scenariosOf() {
  const flows = FAMILIES.flatMap((family) => Object.values(standingFlows(family)))
  await plane.run(
    'xdp',
    flows.map((flow) => ({ data: forwardFrame(flow, { flags: 'S' }), device: 'client0' })),
  )
  const opened = plane.connections().filter(({ reverse }) => !reverse)
  const backendOf = (flow: Flow) =>
    opened.find(({ source: { ip, port } }) => ip === flow.source && port === flow.sourcePort)!.nat
  return (hook: FlipHook) =>
    FAMILIES.flatMap((family) => [
      ...startScenarios(hook, family),
      ...standingScenarios(hook, family, backendOf),
    ])
}

/** Flips under packets until enough has been seen, or nothing is to be expected any more. */
async function flipUntil(
  hook: FlipHook,
  run: number,
  enough: (seen: Judgement) => boolean,
): Promise<Judgement> {
  using active = plane.object.map('active')
  plane.activate(SLOTS.A)
  judge.forget()
  let seen = judge.seen()
  while (!enough(seen) && packetsIn(seen) < PACKETS.most) {
    await flipDuring(active, [SLOTS.A, SLOTS.B], () => judge.run(hook, run))
    seen = judge.seen()
  }
  return seen
}

const packetsIn = ({ total: { neither, A, B } }: Judgement): number => neither + A + B

/** Connections that each generation's targets should have been given. */
function openedIn({ tallies }: Judgement): number[] {
  return GENERATIONS.map((generation) =>
    tallies
      .filter(([scenario]) => opens(scenario, generation))
      .reduce((sum, [, tally]) => sum + tally[generation], 0),
  )
}

const opens = ({ ending, outcomes }: Scenario, generation: Generation): boolean =>
  ending !== 'NONE' &&
  outcomes.some(
    (one) => one.generation === generation && ['LB_REDIRECT', 'LB_STACK_NO_XMIT'].includes(one.reason),
  )

describe.each(HOOKS)('at %s', (hook) => {
  test('a generation alone is met by every packet', async () => {
    for (const generation of ['A', 'B', 'A', 'B'] as const) {
      plane.activate(SLOTS[generation])
      judge.forget()
      await judge.run(hook, 1000)
      const { odd, total } = judge.seen()
      expect(odd).toEqual([])
      expect(total).toEqual({ neither: 0, A: 0, B: 0, [generation]: 1000 })
    }
  })

  test('a slot that mixes tables of both is told from either, whichever tables they are', async () => {
    // Outside of XDP, only what egress will do with replies depends on the interfaces.
    const telling = TABLES.filter((table) => hook === 'xdp' || table !== 'interfaces')
    const mixture = new Map<TableName, Generation>(TABLES.map((table) => [table, 'A']))
    fill(SLOTS.mixed, (table) => mixture.get(table)!)
    plane.activate(SLOTS.mixed)
    // From one to the next by changing one table: all combinations, in the order of the Gray code.
    for (let step = 1; step < 2 ** telling.length; step++) {
      const table = telling[Math.log2(step & -step)]!
      mixture.set(table, mixture.get(table) === 'A' ? 'B' : 'A')
      plane.fill(SLOTS.mixed, { [table]: tableOf(table, mixture.get(table)!, plane.devices) })
      judge.forget()
      await judge.run(hook, 200)
      const generations = new Set(telling.map((name) => mixture.get(name)))
      const told = judge.seen().total.neither > 0
      expect([...mixture, told]).toEqual([...mixture, generations.size > 1])
    }
  })

  test('flips under a million packets', async () => {
    const before = [0, 1].map((row) => plane.counters(row).opened)
    const seen = await flipUntil(
      hook,
      RUN.sound,
      (now) =>
        packetsIn(now) >= PACKETS.enough &&
        now.turns >= TURNS &&
        now.tallies.every(([, { A, B }]) => A >= OFTEN && B >= OFTEN),
    )
    expect(seen.odd).toEqual([])
    expect(seen.total.neither).toBe(0)
    expect(seen.total.A + seen.total.B).toBeGreaterThanOrEqual(PACKETS.enough)
    expect(seen.turns).toBeGreaterThanOrEqual(TURNS)
    expect(seen.tallies.filter(([, { A, B }]) => A < OFTEN || B < OFTEN)).toEqual([])
    // Each connection is counted with a target of the generation that its packet met.
    expect([0, 1].map((row) => plane.counters(row).opened - before[row]!)).toEqual(openedIn(seen))
  })
})

/** A data plane that reads the slot again at one of its stages; see test/support/bpf/reread.bpf.c. */
describe('a second read of the slot', () => {
  const both = ['ROUTES', 'GROUPS', 'SETTINGS', 'SELECTION'] as const
  const cases: readonly (readonly [stage: string, hook: FlipHook])[] = [
    ...HOOKS.flatMap((hook) => both.map((stage) => [stage, hook] as const)),
    // Only XDP asks what the interfaces can do in more than one place.
    ['HOP', 'xdp'],
    ['RESTORE', 'xdp'],
  ]

  async function flipFaulty(
    hook: FlipHook,
    stage: string,
    enough: (seen: Judgement) => boolean,
  ): Promise<Judgement> {
    const path = compileBpf('reread')
    const stages = readBtf(path).enums.find(({ name }) => name === 'stage')!.values
    using object = loadSharing(path, plane.object, namesOfMaps(plane.object), {
      lb_conn_partitions: u32(PARTITIONS),
      reread_at: u32(stages[`STAGE_${stage}`]!),
    })
    judge.aim(object)
    try {
      return await flipUntil(hook, RUN.faulty, enough)
    } finally {
      judge.aim(plane.object)
    }
  }

  test.each(cases)('%s at %s is found', async (stage, hook) => {
    const { total, odd } = await flipFaulty(hook, stage, (seen) => seen.total.neither > 0)
    expect(total.neither).toBeGreaterThan(0)
    expect(odd).not.toEqual([])
  })

  test.each(HOOKS)('and nothing else is: without it, %s is sound', async (hook) => {
    const enough = (seen: Judgement) => seen.turns >= TURNS
    const { odd } = await flipFaulty(hook, 'NONE', enough)
    expect(odd).toEqual([])
  })
})

/** Without those of libbpf. */
function namesOfMaps(object: BpfObject): string[] {
  return object.mapNames.filter((name) => !name.includes('.'))
}
