/** Whether an instance's connection tables are large enough for what is desired. */
import { rowsOver } from '../abi/struct.ts'
import { LbError } from '../model/errors.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { KernelPort } from '../ports/kernel.ts'

/** Connections that the tables were made for; `undefined` where there is no instance. */
export function connCapacity(kernel: KernelPort, paths: InstancePaths): number | undefined {
  using meta = kernel.openMap(paths.meta)
  const row = meta?.lookup(new Uint8Array(4))
  return row && rowsOver('lb_meta', row).get(0, 'conn_capacity')
}

/** @throws LbError `refused` where more connections are allowed than the tables have room for. */
export function requireCapacity(
  kernel: KernelPort,
  paths: InstancePaths,
  { snapshot }: Pick<Deployment, 'snapshot'>,
): void {
  const { maxConnections } = snapshot.settings
  const capacity = connCapacity(kernel, paths)
  if (capacity === undefined || maxConnections <= capacity) return
  throw new LbError(
    'refused',
    `settings.maxConnections is ${maxConnections}, but the connection tables of this instance were made for ${capacity}`,
    {
      hint: '`lb destroy` and `lb apply` make larger ones, and end all connections; another --instance can serve meanwhile',
    },
  )
}
