/** How long a flip takes, as packets see it. */
import { join } from 'node:path'
import { BpfMap } from '../../native/index.ts'
import { root } from '../../test/support/lab/run.ts'
import { type Lab } from '../../test/support/netns.ts'
import { type Section } from '../support/report.ts'
import { median } from '../support/stats.ts'
import type { FlipResult } from './flip-inside.ts'
import { configuration } from './network.ts'

const FLIPS = 300

/** Two generations that choose different ports of the backend. */
export async function measureFlips(lab: Lab): Promise<FlipResult> {
  const generations = []
  for (const port of [8080, 8081]) {
    lab.write('flip.yaml', configuration(port))
    await lab.lbMust(['apply', '--yes', '-c', 'flip.yaml'])
    generations.push({ slot: activeSlot(lab.instance), port })
  }
  const job = JSON.stringify({ instance: lab.instance, generations, flips: FLIPS })
  const inside = [process.execPath, join(root, 'build/bench/packet/flip-inside.js'), job]
  const result = JSON.parse(await lab.lb.exec(inside)) as FlipResult
  if (result.seen.length < FLIPS / 10)
    throw new Error(`only ${result.seen.length} of ${FLIPS} flips were seen`)
  await lab.lbMust(['destroy', '--yes'])
  return result
}

function activeSlot(instance: string): number {
  using active = BpfMap.openPinned(`/sys/fs/bpf/lb/${instance}/active`)
  return new Uint32Array(active.lookup(new Uint8Array(4))!.slice().buffer)[0]!
}

export function flipSection(rounds: readonly FlipResult[]): Section {
  const row = (label: string, of: (round: FlipResult) => number) => ({
    labels: [label],
    cells: [rounds.map(of)],
  })
  return {
    title: 'Flip to another generation, as packets see it',
    notes: [
      `${FLIPS} flips a round, while another thread sends packets that start connections.`,
      `Packets sent after the write had returned that met the old generation: ${rounds.reduce((sum, { late }) => sum + late, 0)}.`,
    ],
    labels: ['what'],
    columns: [{ title: 'time', unit: 'µs', digits: 1 }],
    rows: [
      row('the write of the active slot, median', ({ write }) => median(write)),
      row('until a packet has met the new generation, median', ({ seen }) => median(seen)),
      row('until a packet has met the new generation, longest', ({ seen }) => Math.max(...seen)),
    ],
  }
}
