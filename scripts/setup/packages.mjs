// @ts-check
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { exec, SetupError } from './exec.mjs'

/**
 * A Debian package, why we need it, and a program, C header or other file that shows it is there. What is
 * looked for is the file and not the package, so that other distributions and compilers installed
 * by hand are as good.
 * @typedef {{ name: string, why: string, program?: string, header?: string, file?: string }} Package
 */

/** @type {readonly Package[]} */
export const toBuildAndRun = [
  { name: 'clang', why: 'compiles the packet path to BPF', program: 'clang' },
  { name: 'llvm', why: 'strips debug sections from the BPF object', program: 'llvm-strip' },
  { name: 'libbpf-dev', why: 'loads the BPF object; its headers', header: 'bpf/libbpf.h' },
  { name: 'libelf-dev', why: 'libbpf reads ELF files with it', header: 'libelf.h' },
  { name: 'zlib1g-dev', why: 'libelf needs it', header: 'zlib.h' },
  { name: 'g++', why: 'compiles the Node addon', program: 'g++' },
  { name: 'make', why: 'drives the addon build (node-gyp)', program: 'make' },
  { name: 'python3', why: 'node-gyp is written in it', program: 'python3' },
  { name: 'iproute2', why: 'makes the network namespaces of the demo', program: 'ip' },
  { name: 'ethtool', why: 'switches off checksum offload on veth pairs', program: 'ethtool' },
  { name: 'util-linux', why: 'nsenter runs a command in a namespace', program: 'nsenter' },
  { name: 'curl', why: 'asks for a page, in a demo that is kept and in tests', program: 'curl' },
]

/** @type {readonly Package[]} */
export const toTest = [
  { name: 'bpftool', why: 'changes pinned maps behind our back', program: 'bpftool' },
  { name: 'clang-format', why: 'checks the layout of C code', program: 'clang-format' },
  { name: 'shellcheck', why: 'checks shell scripts', program: 'shellcheck' },
  { name: 'iperf3', why: 'bulk traffic through the data plane', program: 'iperf3' },
  { name: 'nftables', why: 'drops packets to order', program: 'nft' },
  { name: 'iputils-ping', why: 'sends what is neither TCP nor UDP', program: 'ping' },
  { name: 'strace', why: 'kills an apply between two system calls', program: 'strace' },
  { name: 'openssl', why: 'makes certificates for HTTPS health checks', program: 'openssl' },
  { name: 'dnsmasq-base', why: 'answers for targets with names', program: 'dnsmasq' },
  { name: 'libcap2-bin', why: 'runs lb with two capabilities only', program: 'capsh' },
  { name: 'faketime', why: 'sets the clock of one process', program: 'faketime' },
  { name: 'systemd', why: 'checks the unit of the daemon', program: 'systemd-analyze' },
  { name: 'prometheus', why: 'scrapes and checks the metrics', program: 'promtool' },
]

/** @type {readonly Package[]} */
export const toBench = [
  { name: 'wrk', why: 'makes HTTP requests and measures them', program: 'wrk' },
  { name: 'iperf3', why: 'measures throughput', program: 'iperf3' },
  { name: 'nginx', why: 'answers requests, and is compared with', program: 'nginx' },
  {
    name: 'libnginx-mod-stream',
    why: 'makes nginx forward connections',
    file: '/usr/lib/nginx/modules/ngx_stream_module.so',
  },
  { name: 'haproxy', why: 'is compared with', program: 'haproxy' },
  { name: 'keepalived', why: 'is compared with', program: 'keepalived' },
  { name: 'nftables', why: 'is compared with', program: 'nft' },
]

const programFolders = [
  ...(process.env['PATH'] ?? '').split(':'),
  ...['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
]
const headerFolders = ['/usr/local/include', '/usr/include']

/** @param {Package} needed */
function isPresent({ program, header, file }) {
  if (file !== undefined) return existsSync(file)
  if (program !== undefined) return programFolders.some((folder) => existsSync(join(folder, program)))
  return headerFolders.some((folder) => existsSync(join(folder, header ?? '')))
}

/**
 * Installs what is missing, saying what and why; without root or apt, says how and fails.
 * @param {readonly Package[]} packages
 */
export async function ensurePackages(packages) {
  const missing = packages.filter((needed) => !isPresent(needed))
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name)
  const width = Math.max(...names.map((name) => name.length))
  console.log('System packages that are missing:')
  for (const { name, why } of missing) console.log(`  ${name.padEnd(width)}  ${why}`)

  const install = ['install', '--yes', '--no-install-recommends', ...names]
  const hasApt = isPresent({ name: 'apt', why: '', program: 'apt-get' })
  if (!hasApt || process.getuid?.() !== 0) {
    const intro = hasApt
      ? 'Install them as root, then run this again'
      : 'Install them; on Debian that would be'
    throw new SetupError(`${intro}:\n\n  sudo apt-get update && sudo apt-get ${install.join(' ')}`)
  }
  const apt = ['--quiet', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0']
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await exec('apt-get', [...apt, 'update'], { env })
  await exec('apt-get', [...apt, ...install], { env })
}
