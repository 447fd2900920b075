/** Time and memory of the commands, by the size of the configuration. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Lab } from '../../test/support/netns.ts'
import { measure, type Usage } from '../support/measure.ts'
import { progress } from '../support/progress.ts'
import { allSizes, type Operation } from './cases.ts'
import { configuration, type Size } from './configuration.ts'
import { mapMemory } from './map-memory.ts'

export interface SizeResult {
  readonly size: Size
  readonly usage: Readonly<Record<Operation, readonly Usage[]>>
  /** Bytes of kernel memory of one generation's tables, once a round. */
  readonly mapBytes: readonly number[]
}

/** `rounds` times all sizes, one after another, so that a slow spell of the machine hits all alike. */
export async function measureSizes(lab: Lab, rounds: number): Promise<SizeResult[]> {
  const results = allSizes.map((size) => ({ size, usage: emptyUsage(), mapBytes: [] as number[] }))
  for (const { size } of results) writeFiles(lab, size)
  for (let round = 1; round <= rounds; round++) {
    for (const { size, usage, mapBytes } of results) {
      progress(`round ${round} of ${rounds}: ${size.proxies} proxies, ${size.routes} source routes`)
      mapBytes.push(await measureSize(lab, size, usage))
    }
  }
  return results
}

const emptyUsage = (): Record<Operation, Usage[]> => ({
  'apply, first': [],
  validate: [],
  'plan, no change': [],
  'plan, one change': [],
  'apply, one change': [],
  rollback: [],
  show: [],
})

const fileOf = ({ proxies, routes }: Size, variant: 'base' | 'changed') =>
  join(`${proxies}-${routes}`, `${variant}.yaml`)

function writeFiles(lab: Lab, size: Size): void {
  mkdirSync(join(lab.folder, `${size.proxies}-${size.routes}`))
  for (const variant of ['base', 'changed'] as const) {
    lab.write(fileOf(size, variant), configuration(size, variant))
  }
}

async function measureSize(lab: Lab, size: Size, usage: Record<Operation, Usage[]>): Promise<number> {
  const base = ['-c', fileOf(size, 'base')]
  const changed = ['-c', fileOf(size, 'changed')]
  const run = async (operation: Operation, ...args: string[]) => {
    const options = { prefix: lab.lb.prefix, cwd: lab.folder }
    usage[operation].push(await measure(lab.lbCommand(args), options))
  }
  await run('apply, first', 'apply', '--yes', ...base)
  const bytes = mapMemory(lab.instance, 1)
  await run('validate', 'validate', ...base)
  await run('plan, no change', 'plan', ...base)
  await run('plan, one change', 'plan', ...changed)
  await run('apply, one change', 'apply', '--yes', ...changed)
  await run('rollback', 'rollback')
  await run('show', 'show')
  await lab.lbMust(['destroy', '--yes'])
  return bytes
}
