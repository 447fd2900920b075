/** Facts of the machine that the doctor judges, from /proc and the addon. */
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { capabilities, isBpffs } from '../../native/index.ts'
import type { Family } from '../engine/model/snapshot.ts'
import { unless } from './errors.ts'

const BPFFS = '/sys/fs/bpf'

export interface SystemFacts {
  readonly kernelRelease: string
  readonly btf: boolean
  readonly bpffs: { readonly path: string; readonly mounted: boolean }
  readonly capabilities: ReadonlySet<string>
  /** `undefined`: unlimited. */
  readonly memlockBytes: number | undefined
  readonly jit: boolean | undefined
}

export function systemFacts(): SystemFacts {
  const jit = sysctl('net/core/bpf_jit_enable')
  return {
    kernelRelease: release(),
    btf: existsSync('/sys/kernel/btf/vmlinux'),
    bpffs: { path: BPFFS, mounted: existsSync(BPFFS) && isBpffs(BPFFS) },
    capabilities: capabilities(),
    memlockBytes: memlockLimit(),
    jit: jit === undefined ? undefined : jit !== 0,
  }
}

/** Of this process: `Max locked memory  8388608  8388608  bytes`. */
function memlockLimit(): number | undefined {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1]
  return soft === undefined || soft === 'unlimited' ? undefined : Number(soft)
}

/** A switch under /proc/sys, of the caller's network namespace; `undefined` where it cannot be read. */
function sysctl(path: string): number | undefined {
  const text = unless(['ENOENT', 'EACCES', 'EPERM'], () => readFileSync(`/proc/sys/${path}`, 'utf8'))
  return text === undefined ? undefined : Number(text)
}

/** Whether packets are forwarded that come in by an interface; `all` for the host. */
export function forwarding(interfaceName: string): Record<Family, boolean> {
  return {
    ipv4: sysctl(`net/ipv4/conf/${interfaceName}/forwarding`) === 1,
    ipv6: sysctl(`net/ipv6/conf/${interfaceName}/forwarding`) === 1,
  }
}

/** The stricter of the host's and the interface's rp_filter, which is the one that counts. */
export function rpFilter(interfaceName: string): 0 | 1 | 2 | undefined {
  const all = sysctl('net/ipv4/conf/all/rp_filter')
  const own = sysctl(`net/ipv4/conf/${interfaceName}/rp_filter`)
  if (all === undefined || own === undefined) return undefined
  return Math.max(all, own) as 0 | 1 | 2
}
