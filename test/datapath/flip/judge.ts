/** Runs packets through test/support/bpf/judge.bpf.c: whose generation's each one was. */
import { BpfObject, type BpfMap } from '../../../native/index.ts'
import { compileBpf, u32 } from '../../support/native.ts'
import type { Dataplane } from '../support/dataplane.ts'
import { destinationOf } from '../support/flow.ts'
import { FAMILIES, wayTo, type Family } from './generations.ts'
import { codecOf, type Sample, type Tally } from './rows.ts'
import type { FlipHook, Scenario } from './scenarios.ts'

export interface Judgement {
  /** Of each scenario of the hook. */
  readonly tallies: readonly (readonly [Scenario, Tally])[]
  readonly total: Tally
  /** Packets that met another generation than the one before. */
  readonly turns: number
  /** Packets that were neither generation's: the first of each run. */
  readonly odd: readonly string[]
}

export interface Judge extends Disposable {
  /** Whose programs are judged from now on; an object with the maps of the data plane. */
  aim(object: BpfObject): void
  /** So many packets, and a few more, through all scenarios again and again. */
  run(hook: FlipHook, packets: number): Promise<void>
  /** What was seen since it was last forgotten. */
  seen(): Judgement
  forget(): void
}

/** Of the data plane, and of the judge too. */
const SHARED = ['reasons', 'conn_totals', 'conn4', 'conn6']
const PROGRAMS = { xdp: ['lb_xdp', 'judge_xdp'], ingress: ['lb_tc_ingress', 'judge_tc'] } as const
const TARGETS = { xdp: 'xdp_target', ingress: 'tc_target' } as const
/* XDP_* and TC_ACT_* of <linux/bpf.h> and <linux/pkt_cls.h>, by what the name of a reason begins with. */
const RETURNED: Readonly<Record<FlipHook, Readonly<Record<string, number>>>> = {
  xdp: { LB_DROP: 1, LB_PASS: 2, LB_STACK: 2, LB_REDIRECT: 4 },
  ingress: { LB_DROP: 2, LB_PASS: -1, LB_STACK: -1, LB_REDIRECT: 7 },
}

/** `partitions`: those of the data plane. */
export function createJudge(
  plane: Dataplane,
  partitions: number,
  scenarios: Readonly<Record<FlipHook, readonly Scenario[]>>,
): Judge {
  const path = compileBpf('judge')
  const codec = codecOf(path)
  const rows = [...scenarios.xdp, ...scenarios.ingress]
  using object = loadSharing(path, plane.object, SHARED, { lb_conn_partitions: u32(partitions) })
  for (const name of ['judge_xdp', 'judge_tc', 'judge_last']) {
    using program = object.program(name)
    program.pin(`${plane.pins}/${name}`)
  }
  using table = object.map('scenarios')
  for (const [row, scenario] of rows.entries()) table.update(u32(row), codec.scenario(scenario))
  const trial = object.map('trial')
  const tallies = object.map('tallies')
  const targets = { xdp: object.map(TARGETS.xdp), ingress: object.map(TARGETS.ingress) }
  const reasons = object.map('reasons')
  let turns = 0
  const odd: string[] = []

  async function runThrough(hook: FlipHook, own: readonly Scenario[], packets: number): Promise<void> {
    trial.update(u32(0), codec.trial(rows.indexOf(own[0]!), own.length))
    zero(reasons)
    const run = (name: string, data: Uint8Array, repeat: number) =>
      plane.runners[0]!.run({
        program: `${plane.pins}/${name}`,
        frames: [{ data, device: 'client0' }],
        repeat,
      })
    const [ran] = await run(PROGRAMS[hook][1], own[0]!.frame, packets)
    await run('judge_last', ran!.data, 1)
    const seen = codec.readTrial(trial.lookup(u32(0))!)
    turns += seen.turns
    if (seen.odd) odd.push(describe(rows[seen.odd.scenario]!, seen.odd))
    // What a program returns follows from the reason; it is seen of the last packet only.
    const { reason } = seen.last
    if (RETURNED[hook][/^LB_[A-Z]+/.exec(reason)?.[0] ?? ''] !== ran!.retval)
      throw new Error(`${hook} returned ${ran!.retval} for the reason ${reason}`)
  }

  return {
    aim(target) {
      for (const hook of ['xdp', 'ingress'] as const) {
        using program = target.program(PROGRAMS[hook][0])
        targets[hook].update(u32(0), u32(program.fd))
      }
    },
    async run(hook, packets) {
      // tc takes the family of all packets of a run from the frame that it begins with.
      const parts = hook === 'xdp' ? [scenarios.xdp] : FAMILIES.map((family) => of(family, scenarios.ingress))
      for (const part of parts) await runThrough(hook, part, Math.ceil(packets / parts.length))
    },
    seen() {
      const all = rows.map((scenario, row) => [scenario, codec.readTally(tallies.lookup(u32(row))!)] as const)
      return {
        tallies: all.filter(([, { neither, A, B }]) => neither + A + B > 0),
        total: all.map(([, tally]) => tally).reduce(add),
        turns,
        odd: [...odd],
      }
    },
    forget() {
      for (const row of rows.keys()) tallies.update(u32(row), codec.noTally)
      turns = 0
      odd.length = 0
    },
    [Symbol.dispose]() {
      for (const map of [trial, tallies, targets.xdp, targets.ingress, reasons]) map.close()
    },
  }
}

const of = (family: Family, scenarios: readonly Scenario[]): Scenario[] =>
  scenarios.filter((scenario) => scenario.family === family)

const add = (a: Tally, b: Tally): Tally => ({
  neither: a.neither + b.neither,
  A: a.A + b.A,
  B: a.B + b.B,
})

function zero(map: BpfMap): void {
  const { keys, values } = map.readAll()
  map.updateBatch(keys, new Uint8Array(values.length))
}

function describe({ name }: Scenario, { reason, pressed, frame }: Sample): string {
  const to = destinationOf(frame)
  const way = to && (wayTo(to) ?? `${to.ip} ${to.port}`)
  return `${name}: ${reason}, limit ${pressed ? '' : 'not '}near, to ${way ?? 'nobody'}`
}

/** Loads an object with maps of another one in the place of its own. */
export function loadSharing(
  path: string,
  from: BpfObject,
  names: readonly string[],
  constants: Readonly<Record<string, Uint8Array>>,
): BpfObject {
  const reuse = Object.fromEntries(names.map((name) => [name, from.map(name)]))
  try {
    return BpfObject.load(path, { reuse, constants })
  } finally {
    for (const map of Object.values(reuse)) map.close()
  }
}
