/** From the write of a file of 10,000 targets to the generation that serves it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BpfMap } from '../../native/index.ts'
import { watch } from '../../test/e2e/support/daemon.ts'
import { type Lab } from '../../test/support/netns.ts'
import { haproxyConfiguration, lbConfiguration, type Targets } from './configurations.ts'
import { answeringPort } from './network.ts'
import { cpuSeconds } from './processes.ts'

export const CHANGES = ['one weight', 'all weights', 'all addresses'] as const
export type Change = (typeof CHANGES)[number]

export interface Reload {
  readonly ms: number
  readonly cpuMs: number
}

export interface ReloadResult {
  readonly lb: Readonly<Record<Change, Reload>>
  /** Until the new process listens at all addresses and the old one was told to go. */
  readonly haproxyMs: Readonly<Record<Change, number>>
}

const PATIENCE_MS = 20_000

const base: Targets = {
  ...{ lists: 1250, targets: 8, port: answeringPort, firstAddress: 0 },
  weights: [16, 20, 16, 10, 10, 10, 9, 9],
}
const changed: Readonly<Record<Exclude<Change, 'one weight'>, Targets>> = {
  'all weights': { ...base, weights: [9, 9, 10, 10, 10, 16, 20, 16] },
  'all addresses': { ...base, firstAddress: base.lists * base.targets },
}

type Write = (targets: Targets, check: undefined) => string

/** What a file of `base` becomes. */
function changedText(change: Change, write: Write): string {
  if (change !== 'one weight') return write(changed[change], undefined)
  // The last two of the first list differ after it, and all else stays.
  return write(base, undefined)
    .replace(/(weight:? )9( ?\}?\n)/, '$18$2')
    .replace(/(weight:? )9( ?\}?\n)/, '$110$2')
}

export async function measureReloads(lab: Lab): Promise<ReloadResult> {
  const lb = await reloadsOfLb(lab)
  return { lb, haproxyMs: await reloadsOfHaproxy(lab) }
}

async function reloadsOfLb(lab: Lab): Promise<ReloadResult['lb']> {
  const path = lab.write('lb.yaml', lbConfiguration(base, undefined))
  // The guard is against files that lose most of their targets by mistake.
  const daemon = await watch(lab, ['-c', path, '--force'])
  try {
    using active = BpfMap.openPinned(join('/sys/fs/bpf/lb', lab.instance, 'active'))
    const results: Partial<Record<Change, Reload>> = {}
    for (const change of CHANGES) {
      results[change] = await reload(changedText(change, lbConfiguration))
      await reload(lbConfiguration(base, undefined))
    }
    return results as Record<Change, Reload>

    async function reload(text: string): Promise<Reload> {
      await sleep(500)
      const serving = slot(active)
      const cpu = cpuSeconds(daemon.pid)
      const began = performance.now()
      lab.write('lb.yaml', text)
      while (slot(active) === serving) {
        if (performance.now() - began > PATIENCE_MS) throw new Error(`no reload: ${daemon.errors()}`)
        await sleep(1)
      }
      const ms = performance.now() - began
      await daemon.line({ event: 'reload', outcome: 'applied' })
      return { ms, cpuMs: 1000 * (cpuSeconds(daemon.pid) - cpu) }
    }
  } finally {
    daemon.signal('SIGTERM')
    await daemon.ended
    await lab.lbMust(['destroy', '--yes'])
  }
}

function slot(active: BpfMap): number {
  return new Uint32Array(active.lookup(new Uint8Array(4))!.slice().buffer)[0]!
}

async function reloadsOfHaproxy(lab: Lab): Promise<ReloadResult['haproxyMs']> {
  const pidFile = join(lab.folder, 'haproxy.pid')
  const start = async (text: string, ...more: readonly string[]): Promise<number> => {
    const began = performance.now()
    const path = lab.write('haproxy.cfg', text)
    await lab.lb.exec(['haproxy', '-D', '-f', path, '-p', pidFile, ...more])
    return performance.now() - began
  }
  const pid = () => readFileSync(pidFile, 'utf8').trim()
  await start(haproxyConfiguration(base, undefined))
  try {
    const results: Partial<Record<Change, number>> = {}
    for (const change of CHANGES) {
      results[change] = await start(changedText(change, haproxyConfiguration), '-sf', pid())
      await start(haproxyConfiguration(base, undefined), '-sf', pid())
    }
    return results as Record<Change, number>
  } finally {
    process.kill(Number(pid()), 'SIGTERM')
  }
}
