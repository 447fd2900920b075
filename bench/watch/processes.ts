/** What a program and the processes that it has started take, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Load {
  /** Of one core, in percent. */
  readonly cpuPercent: number
  /** Resident memory of all processes; pages that they share count for each. */
  readonly residentMiB: number
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Of so many milliseconds from now. @throws where a process ends meanwhile */
export async function loadOf(pid: number, ms: number): Promise<Load> {
  const began = performance.now()
  const before = cpuSeconds(pid)
  await sleep(ms)
  const used = cpuSeconds(pid) - before
  const passed = (performance.now() - began) / 1000
  return { cpuPercent: (100 * used) / passed, residentMiB: residentMiB(pid) }
}

/** User and system time. */
export function cpuSeconds(root: number): number {
  let ticks = 0
  for (const pid of tree(root)) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may have blanks in it. utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / ticksPerSecond
}

function residentMiB(root: number): number {
  const kib = tree(root).map((pid) => {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  })
  return kib.reduce((sum, one) => sum + one, 0) / 1024
}

function tree(root: number): number[] {
  const children = readdirSync(`/proc/${root}/task`).flatMap((thread) =>
    readFileSync(`/proc/${root}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [root, ...children.flatMap(tree)]
}
