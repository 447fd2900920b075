/** Who makes the checks, each in its turn. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { watch } from '../../test/e2e/support/daemon.ts'
import { end, root } from '../../test/support/lab/run.ts'
import { type Lab } from '../../test/support/netns.ts'
import {
  checked,
  haproxyConfiguration,
  keepalivedConfiguration,
  lbConfiguration,
  type Check,
} from './configurations.ts'

export interface Running {
  readonly pid: number
  readonly stop: () => Promise<void>
}

export interface Checker {
  readonly name: string
  /** How long it runs, once it makes all checks, before it is measured. */
  readonly settleMs: number
  readonly start: (lab: Lab, check: Check) => Promise<Running>
}

const lb: Checker = {
  name: 'lb watch',
  // JavaScript that is new is not compiled yet.
  settleMs: 3000,
  async start(lab, check) {
    const path = lab.write('lb.yaml', lbConfiguration(checked, check))
    const daemon = await watch(lab, ['-c', path])
    return {
      pid: daemon.pid,
      async stop() {
        daemon.signal('SIGTERM')
        await daemon.ended
        await lab.lbMust(['destroy', '--yes'])
      },
    }
  },
}

const haproxy: Checker = {
  name: 'HAProxy',
  settleMs: 0,
  start: (lab, check) =>
    run(lab, ['haproxy', '-db', '-f', lab.write('haproxy.cfg', haproxyConfiguration(checked, check))]),
}

/** Whether the kernel has what keepalived keeps its tables in. */
export const hasIpVs = existsSync('/proc/net/ip_vs')

const keepalived: Checker = {
  name: 'keepalived',
  settleMs: 0,
  start(lab, check) {
    const path = lab.write('keepalived.conf', keepalivedConfiguration(checked, check))
    const pids = ['-p', join(lab.folder, 'keepalived.pid'), '-c', join(lab.folder, 'checkers.pid')]
    const argv = ['keepalived', '--dont-fork', '--log-console', '--check', '-f', path, ...pids]
    return run(lab, argv, hasIpVs ? {} : { LD_PRELOAD: standIn() })
  },
}

export const checkers: readonly Checker[] = [lb, keepalived, haproxy]
export const ours = lb

/** A program that runs until it is told to end. @throws in the end where it ended by itself */
function run(
  lab: Lab,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = lab.lb.spawn(argv, { env })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2000)))
  }
  return Promise.resolve({
    pid: child.pid!,
    async stop() {
      const { exitCode } = child
      await end(child, 'SIGTERM')
      if (exitCode !== null) throw new Error(`${argv[0]!} ended with status ${exitCode}: ${said}`)
    },
  })
}

let library: string | undefined

function standIn(): string {
  if (library !== undefined) return library
  const folder = join(root, 'build/bench')
  mkdirSync(folder, { recursive: true })
  library = join(folder, 'ip-vs.so')
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, join(root, 'bench/watch/ip-vs.c'), '-ldl'])
  return library
}
