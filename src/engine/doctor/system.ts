/** The kernel, and what this process may do with it. */
import type { Finding } from '../model/finding.ts'
import type { DoctorFacts } from './facts.ts'
import { failure, ok, warning } from './findings.ts'

export function checkSystem(facts: DoctorFacts): Finding[] {
  return [
    checkKernel(facts.kernelRelease),
    checkBtf(facts),
    checkBpffs(facts),
    checkCapabilities(facts),
    ...checkMemlock(facts),
    ...checkJit(facts),
  ]
}

type Version = readonly [major: number, minor: number]

/** bpf_timer, with which connections expire. */
const MINIMUM: Version = [5, 18]
const TCX: Version = [6, 6]
/** Memory of BPF maps is charged to the control group, not to RLIMIT_MEMLOCK. */
const CGROUP_ACCOUNTING: Version = [5, 11]

function parseRelease(release: string): Version | undefined {
  const match = /^([0-9]+)\.([0-9]+)/.exec(release)
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

function isOlder([major, minor]: Version, than: Version): boolean {
  return major < than[0] || (major === than[0] && minor < than[1])
}

function checkKernel(release: string): Finding {
  const version = parseRelease(release)
  if (!version) {
    return warning('kernel', `kernel ${release}`, `This is no version that lb can compare: it needs 5.18.`)
  }
  if (isOlder(version, MINIMUM)) {
    const detail =
      'lb needs 5.18, which brought bpf_xdp_get_buff_len (5.15 the timers that expire connections).'
    return failure('kernel', `kernel ${release} is too old`, detail)
  }
  const clsact = 'tcx came with 6.6: programs are attached as clsact filters instead.'
  return ok('kernel', `kernel ${release}`, isOlder(version, TCX) ? clsact : '')
}

function checkBtf({ btf }: DoctorFacts): Finding {
  return btf
    ? ok('btf', 'the kernel has type information (BTF)')
    : failure(
        'btf',
        'the kernel has no type information (BTF)',
        'There is no /sys/kernel/btf/vmlinux, so the programs cannot be loaded. ' +
          'The kernel has to be built with CONFIG_DEBUG_INFO_BTF, as those of the distributions are.',
      )
}

function checkBpffs({ bpffs: { path, mounted } }: DoctorFacts): Finding {
  return mounted
    ? ok('bpffs', `a bpf file system is mounted at ${path}`)
    : failure(
        'bpffs',
        `no bpf file system is mounted at ${path}`,
        'The programs and maps are pinned there; without it nothing outlives the lb command.',
        `mount -t bpf bpf ${path}`,
      )
}

function checkCapabilities({ capabilities }: DoctorFacts): Finding {
  const missing = [
    ...(capabilities.has('bpf') || capabilities.has('sys_admin') ? [] : ['CAP_BPF']),
    ...(capabilities.has('net_admin') ? [] : ['CAP_NET_ADMIN']),
  ]
  if (missing.length === 0) return ok('capabilities', 'this process may load and attach programs')
  return failure(
    'capabilities',
    `this process lacks ${missing.join(' and ')}`,
    'Loading programs takes CAP_BPF, attaching them CAP_NET_ADMIN. Run lb as root, or with these two.',
  )
}

const ROOMY_MEMLOCK = 64 * 1024 * 1024

function checkMemlock({ kernelRelease, memlockBytes }: DoctorFacts): Finding[] {
  const version = parseRelease(kernelRelease)
  if (!version || !isOlder(version, CGROUP_ACCOUNTING)) return []
  if (memlockBytes === undefined || memlockBytes >= ROOMY_MEMLOCK) return []
  const detail = `Kernels before 5.11 charge maps to this limit, which is ${memlockBytes} bytes.`
  return [warning('memlock', 'the limit on locked memory is low', detail, 'ulimit -l unlimited')]
}

function checkJit({ jit }: DoctorFacts): Finding[] {
  if (jit === undefined) return []
  if (jit) return [ok('jit', 'programs are compiled (BPF JIT)')]
  const detail = 'The kernel interprets the programs, which costs each packet several times as much.'
  return [warning('jit', 'the BPF JIT is off', detail, 'sysctl -w net.core.bpf_jit_enable=1')]
}
