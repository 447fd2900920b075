import { binding } from './binding.ts'

/** Number of possible CPUs: how many values a per-CPU entry has. */
export function possibleCpus(): number {
  return binding.possibleCpus()
}

/** Effective capabilities of this process, lower-case names without `cap_`: `bpf`, `net_admin`. */
export function capabilities(): ReadonlySet<string> {
  return new Set(binding.capabilities())
}

/** Whether `path` is on a mounted bpf file system; false where there is no such path. */
export function isBpffs(path: string): boolean {
  return binding.isBpffs(path)
}

/** One datagram to a Unix socket; `@` at the start of `address` stands for an abstract one. Never waits. */
export function sendDatagram(address: string, bytes: Uint8Array): void {
  binding.sendDatagram(address, bytes)
}
