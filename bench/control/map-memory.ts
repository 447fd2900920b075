import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BpfMap } from '../../native/index.ts'

/** Bytes of kernel memory that the tables of a generation take, by the kernel's own count. */
export function mapMemory(instance: string, generation: number): number {
  const folder = join('/sys/fs/bpf/lb', instance, 'gen', String(generation))
  return readdirSync(folder).reduce((sum, table) => sum + memoryOf(join(folder, table)), 0)
}

function memoryOf(pin: string): number {
  using map = BpfMap.openPinned(pin)
  const memory = /^memlock:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${map.fd}`, 'latin1'))?.[1]
  if (memory === undefined) throw new Error(`the kernel does not say how much memory ${pin} takes`)
  return Number(memory)
}
