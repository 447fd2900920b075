/** From the answer that makes a target sick to the table without it. */
import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { watch } from '../../test/e2e/support/daemon.ts'
import { end, root } from '../../test/support/lab/run.ts'
import { type Host, type Lab } from '../../test/support/netns.ts'
import { failingAddresses, lbConfiguration, type Targets } from './configurations.ts'
import type { Gone } from './entries-inside.ts'
import { answeringPort } from './network.ts'
import type { Sick } from './pages-inside.ts'

const pagesPort = 8002
/** Longer than from one check to the next. */
const PATIENCE_MS = 1500
/** Targets that fail within a second, each at the time of its own check: so many for practice, then those that count. */
const PRACTICE = 20
const SICK = 40
const failing = { count: PRACTICE + SICK, port: pagesPort }

/** 1,000 targets are checked in both cases, all but those that are to fail by TCP. */
export const shapes: readonly Targets[] = [
  { lists: 100, targets: 10, port: answeringPort, firstAddress: 0, failing },
  { lists: 1, targets: 1000, port: answeringPort, firstAddress: 0, failing },
]

/** Milliseconds, one for each target that failed: of a list of ten, one. */
export async function measureDetection(lab: Lab, targets: Targets): Promise<number[]> {
  const path = lab.write('lb.yaml', lbConfiguration(targets, 'tcp'))
  const [backend] = lab.backends
  const pages = await inside(backend!, 'pages-inside', [String(pagesPort)])
  const daemon = await watch(lab, ['-c', path])
  try {
    await sleep(PATIENCE_MS)
    const entries = await inside(lab.lb, 'entries-inside', [generationFolder(lab)])
    const addresses = failingAddresses(targets)
    for (const batch of [addresses.slice(0, PRACTICE), addresses.slice(PRACTICE)]) {
      for (const address of batch) pages.child.stdin!.write(`${address}\n`)
      await sleep(PATIENCE_MS)
    }
    await end(entries.child)
    return match(pages.seen as Sick[], entries.seen as Gone[]).slice(PRACTICE)
  } finally {
    await end(pages.child)
    daemon.signal('SIGTERM')
    await daemon.ended
    await lab.lbMust(['destroy', '--yes'])
  }
}

function match(sick: readonly Sick[], gone: readonly Gone[]): number[] {
  const ends = new Map(gone.map(({ address, atNs }) => [address, BigInt(atNs)]))
  const times = sick.flatMap(({ address, atNs }) => {
    const end = ends.get(address)
    return end === undefined ? [] : [Number(end - BigInt(atNs)) / 1e6]
  })
  if (times.length !== failing.count || gone.length !== failing.count) {
    throw new Error(`of ${failing.count} targets ${sick.length} were asked and ${gone.length} were taken out`)
  }
  return times
}

function generationFolder({ instance }: Lab): string {
  const folder = join('/sys/fs/bpf/lb', instance, 'gen')
  return join(folder, readdirSync(folder).at(-1)!)
}

/** One of our programs, which has said that it is ready; what it says after that is collected. */
async function inside(
  host: Host,
  name: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly seen: readonly unknown[] }> {
  const child = host.spawn([process.execPath, join(root, `build/bench/watch/${name}.js`), ...args])
  child.stderr?.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout! })
  await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} did not start`))),
  ])
  const seen: unknown[] = []
  lines.on('line', (line) => seen.push(JSON.parse(line)))
  return { child, seen }
}
