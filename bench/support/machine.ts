import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { root } from '../../test/support/lab/run.ts'
import { type Machine } from './report.ts'

/** What a reader needs to compare figures with those of another machine. No names, no addresses. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    hypervisor: field('lscpu', /^Hypervisor vendor:\s*(.+)$/m) ?? 'none seen',
    kernel: release(),
    distribution: /^PRETTY_NAME="(.+)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    node: process.version,
  }
}

function field(command: string, pattern: RegExp): string | undefined {
  return pattern.exec(execFileSync(command, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }))?.[1]
}

/** The commit that is measured, with a plus sign where files were changed since. */
export function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'src', 'bpf', 'native', 'bench', ':!bench/results')
  return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`
}
