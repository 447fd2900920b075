/** `npm run bench -- packet`: what our programs cost per packet. */
import { join } from 'node:path'
import { root } from '../../test/support/lab/run.ts'
import { compileBpf } from '../support/bpf.ts'
import { benchLab } from '../support/labs.ts'
import { progress } from '../support/progress.ts'
import { type Goal, type Outcome, type Row, type Section } from '../support/report.ts'
import { median } from '../support/stats.ts'
import type { FlipResult } from './flip-inside.ts'
import { flipSection, measureFlips } from './flip.ts'
import { configuration, prepareNetwork } from './network.ts'
import {
  newConnections,
  otherFlows,
  packetsOf,
  scenarios,
  TABLE_CONNECTIONS,
  type Scenario,
} from './scenarios.ts'

export async function packet(rounds: number): Promise<Outcome> {
  await using lab = await benchLab({ backends: 1, ipv6: true, backendNetwork: 'separate' })
  await prepareNetwork(lab)
  lab.write('lb.yaml', configuration())
  const inside = [
    process.execPath,
    join(root, 'build/bench/packet/inside.js'),
    lab.instance,
    compileBpf('replay'),
  ]
  const samples: number[][] = scenarios.map(() => [])
  const flips: FlipResult[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`)
    // Every round starts with an empty table.
    await lab.lbMust(['apply', '--yes'])
    const results = JSON.parse(await lab.lb.exec(inside, { timeoutMs: 300_000 })) as number[]
    for (const [i, ns] of results.entries()) samples[i]!.push(ns)
    await lab.lbMust(['destroy', '--yes'])
    flips.push(await measureFlips(lab))
  }
  return { sections: [...sections(samples), flipSection(flips)], goals: goals(samples) }
}

const number = (value: number) => value.toLocaleString('en')

function labelsOf(scenario: Scenario): readonly [hook: string, packet: string, flows: string] {
  switch (scenario.kind) {
    case 'established': {
      const family = scenario.family === 'ipv4' ? 'IPv4' : 'IPv6'
      return [scenario.hook, `${family} TCP, ${scenario.direction}`, number(scenario.flows)]
    }
    case 'lookup':
      return [scenario.hook, 'IPv4 TCP, forward', number(scenario.flows)]
    case 'route':
      return [scenario.hook, `IPv4 TCP, ${scenario.direction}`, number(otherFlows)]
    case 'other':
      return [scenario.hook, scenario.what, number(otherFlows)]
    case 'new':
      return [scenario.hook, `SYN, ${number(scenario.routes)} source routes`, number(newConnections)]
  }
}

const titles: Readonly<Record<Scenario['kind'], string>> = {
  established: 'Packets of established connections',
  lookup: 'One lookup in a hash of the kernel as large as the connection table, and nothing else',
  route: "The kernel's route lookup alone, which established connections need",
  other: 'Packets that are not ours',
  new: 'New TCP connections, entered in both directions',
}

function sections(samples: readonly (readonly number[])[]): Section[] {
  const notes = [
    'Without the program that restores the frame, which was measured with an empty one in its place.',
    `The table has room for ${number(TABLE_CONNECTIONS)} connections. Flows are those that take turns.`,
  ]
  return (['other', 'established', 'lookup', 'route', 'new'] as const).map((kind) => ({
    title: titles[kind],
    notes,
    labels: ['hook', 'packet', 'flows', 'packets'],
    columns: [{ title: 'cost of a packet', unit: 'ns' }],
    rows: scenarios.flatMap((scenario, i): Row[] =>
      scenario.kind === kind
        ? [{ labels: [...labelsOf(scenario), number(packetsOf(scenario))], cells: [samples[i]!] }]
        : [],
    ),
  }))
}

/** Of another XDP load balancer, measured in the same way on such a machine. */
const toBeat: Readonly<Record<number, number>> = { 1: 102, 65_536: 206, 524_288: 262 }
const toBeatNew = 713

function goals(samples: readonly (readonly number[])[]): Goal[] {
  return scenarios.flatMap((scenario, i): Goal[] => {
    if (scenario.hook !== 'xdp') return []
    const limit =
      scenario.kind === 'new'
        ? toBeatNew
        : scenario.kind === 'established' && scenario.family === 'ipv4'
          ? toBeat[scenario.flows]
          : undefined
    if (limit === undefined) return []
    const [hook, what, flows] = labelsOf(scenario)
    const measured = median(samples[i]!)
    return [{ what: `${hook}, ${what}, ${flows} flows`, measured, limit, unit: 'ns', kind: 'at most' }]
  })
}
