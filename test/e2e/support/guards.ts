import { readdirSync, readFileSync } from 'node:fs'
import { type Lab } from '../../support/netns.ts'

/** The processes that see to it that unconfirmed generations of the lab's instance go. */
export function guardsOf({ instance }: Lab): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isGuard(pid, instance))
}

function isGuard(pid: number, instance: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words.includes('guard') && words.includes(instance)
  } catch {
    // It has ended meanwhile.
    return false
  }
}
