/** What `lb doctor` judges: facts of the host, gathered beforehand, and of the configuration where one is given. */
import type { NetInterface, NetRoute } from '../model/host.ts'
import { familyOf } from '../model/ip.ts'
import type { Attachment, Family } from '../model/snapshot.ts'

export interface DoctorFacts {
  /** `uname -r`. */
  readonly kernelRelease: string
  /** The kernel describes its own types: /sys/kernel/btf/vmlinux. */
  readonly btf: boolean
  readonly bpffs: { readonly path: string; readonly mounted: boolean }
  /** Effective ones, named as in `net_admin`. */
  readonly capabilities: ReadonlySet<string>
  /** RLIMIT_MEMLOCK; `undefined`: unlimited. */
  readonly memlockBytes: number | undefined
  /** net.core.bpf_jit_enable; `undefined` where it cannot be read. */
  readonly jit: boolean | undefined
  /** Of the host as a whole; each interface has its own switch too. */
  readonly forwarding: Forwarding
  /** Those that the programs are to be attached to, or that the configuration names. */
  readonly interfaces: readonly InterfaceFacts[]
  /** Each address once. */
  readonly targets: readonly TargetFacts[]
}

export type Forwarding = Readonly<Record<Family, boolean>>

export interface InterfaceFacts {
  readonly name: string
  /** `undefined`: there is no such interface. */
  readonly device: NetInterface | undefined
  /** How the programs would be attached, or why that cannot be told. */
  readonly attachment: Attachment | { readonly error: string }
  /** Packets that come in by this interface may be forwarded. */
  readonly forwarding: Forwarding
  /** The stricter of net.ipv4.conf.all.rp_filter and the interface's own; `undefined` where unknown. */
  readonly rpFilter: 0 | 1 | 2 | undefined
  /** An XDP program on it that is not ours. */
  readonly otherXdp: { readonly id: number; readonly mode: 'xdp' | 'xdp-generic' } | undefined
}

export interface TargetFacts {
  readonly ip: string
  /** `undefined`: there is none. */
  readonly route: NetRoute | undefined
  /** State of the next hop in the neighbour table; `undefined`: it has no entry. */
  readonly neighbour: string | undefined
}

/** Families of targets that packets have to be forwarded to. */
export function forwardedFamilies(targets: readonly TargetFacts[]): Set<Family> {
  const remote = targets.filter(({ route }) => route?.type !== 'local')
  return new Set(remote.map(({ ip }) => familyOf(ip)))
}
