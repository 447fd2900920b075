/** Whether an instance's connection tables can have room for what is desired. */
import { LbError } from '../model/errors.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { connectionsIn, readConnSets } from './conn-sets.ts'

/**
 * Larger tables are made beside the present ones, which are given up once they are empty. There are no more than
 * two sets at a time.
 *
 * @throws LbError `refused` where tables would have to grow a second time, with connections still in the first ones
 */
export function requireCapacity(
  kernel: KernelPort,
  paths: InstancePaths,
  { snapshot }: Pick<Deployment, 'snapshot'>,
): void {
  if (!kernel.fs.list(paths.root)?.includes('active')) return
  const { maxConnections } = snapshot.settings
  const { sets, capacity } = readConnSets(kernel, paths)
  if (maxConnections <= capacity || sets.otherPartitions === 0) return
  const left = connectionsIn(kernel, paths, sets.current ^ 1)
  if (left === 0) return
  throw new LbError(
    'refused',
    `settings.maxConnections is ${maxConnections}, but the connection tables have room for ${capacity} and are still growing: ${left} connections are in the tables of before`,
    { hint: 'once those connections have ended, they can grow again; `lb connections` lists them' },
  )
}
