/** What commands take that do little, against a Node.js that does nothing. */
import { join } from 'node:path'
import { type Lab } from '../../test/support/netns.ts'
import { measure, type Usage } from '../support/measure.ts'
import { progress } from '../support/progress.ts'
import { configuration } from './configuration.ts'

export const START_UPS = ['node -e 0', 'lb --version', 'lb --help', 'lb validate'] as const
export type StartUp = (typeof START_UPS)[number]

/** Short runs vary more than long ones: several in each round. */
const RUNS_A_ROUND = 5

/** Just below 1,000 lines. */
export const SMALL_PROXIES = 90

export async function measureStartUp(
  lab: Lab,
  rounds: number,
): Promise<Readonly<Record<StartUp, readonly Usage[]>>> {
  const file = join(lab.folder, 'small.yaml')
  const text = configuration({ proxies: SMALL_PROXIES, routes: 1 })
  if (text.split('\n').length > 1000) throw new Error('the file is to have less than 1,000 lines')
  lab.write('small.yaml', text)
  const commands: Readonly<Record<StartUp, readonly string[]>> = {
    'node -e 0': [process.execPath, '-e', '0'],
    'lb --version': lab.lbCommand(['--version']),
    'lb --help': lab.lbCommand(['--help']),
    'lb validate': lab.lbCommand(['validate', '-c', file]),
  }
  const usage: Record<StartUp, Usage[]> = {
    'node -e 0': [],
    'lb --version': [],
    'lb --help': [],
    'lb validate': [],
  }
  for (let round = 0; round < rounds * RUNS_A_ROUND; round++) {
    if (round % RUNS_A_ROUND === 0) progress(`starting, round ${1 + round / RUNS_A_ROUND} of ${rounds}`)
    for (const name of START_UPS) usage[name].push(await measure(commands[name], { cwd: lab.folder }))
  }
  return usage
}
