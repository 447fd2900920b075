/** Time and memory of the commands, by the size of the configuration. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, root } from '../../test/support/lab/run.ts'
import { lbEnv } from '../../test/support/lab/lab.ts'
import { type Lab } from '../../test/support/netns.ts'
import { benchInstance } from '../support/labs.ts'
import { measure, type Usage } from '../support/measure.ts'
import { progress } from '../support/progress.ts'
import { allSizes, type Operation } from './cases.ts'
import { configuration, type Size } from './configuration.ts'
import { mapMemory } from './map-memory.ts'

export interface SizeResult {
  readonly size: Size
  readonly usage: Readonly<Record<Operation, readonly Usage[]>>
  /** Bytes of kernel memory of one generation's tables. */
  readonly mapBytes: number
}

/** As many generations as lb keeps are loaded when an apply is measured: as on a host that is in use. */
const GENERATIONS = 8

/** `rounds` times all sizes, one after another, so that a slow spell of the machine hits all alike. */
export async function measureSizes(lab: Lab, rounds: number): Promise<SizeResult[]> {
  const cases = []
  for (const size of allSizes) cases.push(await prepare(lab, size))
  for (let round = 1; round <= rounds; round++) {
    for (const one of cases) {
      progress(`round ${round} of ${rounds}: ${one.size.proxies} proxies, ${one.size.routes} source routes`)
      await measureSize(lab, one)
    }
  }
  return cases
}

interface Case {
  readonly size: Size
  readonly instance: string
  readonly usage: Record<Operation, Usage[]>
  readonly mapBytes: number
}

async function prepare(lab: Lab, size: Size): Promise<Case> {
  const name = nameOf(size)
  progress(`making ${GENERATIONS} generations: ${size.proxies} proxies, ${size.routes} source routes`)
  mkdirSync(join(lab.folder, name))
  for (const variant of ['base', 'changed'] as const) {
    lab.write(join(name, `${variant}.yaml`), configuration(size, variant))
  }
  const instance = benchInstance(lab, name)
  for (let generation = 1; generation <= GENERATIONS; generation++) {
    const variant = (GENERATIONS - generation) % 2 === 0 ? 'base' : 'changed'
    await mustRun([...lab.lb.prefix, ...lb(instance, 'apply', '--yes', '-c', `${name}/${variant}.yaml`)], {
      cwd: lab.folder,
      env: lbEnv,
    })
  }
  return { size, instance, usage: emptyUsage(), mapBytes: mapMemory(instance, GENERATIONS) }
}

const nameOf = ({ proxies, routes }: Size) => `${proxies}-${routes}`

const lb = (instance: string, ...args: string[]) => [
  process.execPath,
  join(root, 'bin/run.js'),
  ...args,
  '--instance',
  instance,
]

const emptyUsage = (): Record<Operation, Usage[]> => ({
  'apply, first': [],
  validate: [],
  'plan, no change': [],
  'plan, one change': [],
  'apply, one change': [],
  rollback: [],
  history: [],
  show: [],
})

async function measureSize(lab: Lab, { size, instance, usage }: Case): Promise<void> {
  const base = ['-c', `${nameOf(size)}/base.yaml`]
  const changed = ['-c', `${nameOf(size)}/changed.yaml`]
  const options = { prefix: lab.lb.prefix, cwd: lab.folder }
  const run = async (operation: Operation, ...args: string[]) => {
    usage[operation].push(await measure(lb(instance, ...args), options))
  }
  await run('validate', 'validate', ...base)
  await run('plan, no change', 'plan', ...base)
  await run('plan, one change', 'plan', ...changed)
  await run('apply, one change', 'apply', '--yes', ...changed)
  await run('rollback', 'rollback')
  await run('history', 'history')
  await run('show', 'show')
  usage['apply, first'].push(await measure(lab.lbCommand(['apply', '--yes', ...base]), options))
  await lab.lbMust(['destroy', '--yes'])
}
