/** errno → our errors. */
import { LbError } from '../engine/model/errors.ts'

interface SystemError extends Error {
  readonly code: string
  readonly verifierLog?: string
}

/** Wrong arguments have a code too, but name no system call: those are bugs of ours. */
export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    typeof (error as { code?: unknown }).code === 'string' &&
    typeof (error as { syscall?: unknown }).syscall === 'string'
  )
}

const HINTS: Readonly<Record<string, string>> = {
  EPERM: 'lb needs CAP_BPF and CAP_NET_ADMIN, and a user that may write to /sys/fs/bpf/lb: run it as root',
  EACCES: 'lb needs CAP_BPF and CAP_NET_ADMIN, and a user that may write to /sys/fs/bpf/lb: run it as root',
  EBUSY: 'another program is attached there: `bpftool net` lists them',
  EOPNOTSUPP: 'the driver cannot do this: choose `attach: tcx` for the interface',
  ENOSPC: 'a table is full',
  E2BIG: 'a table is full',
  ENOMEM: 'the kernel has no memory left for this table',
  EMFILE: 'too many open files: raise `ulimit -n`',
  ENODEV: 'the interface is gone',
}

const RIGHTS = new Set(['EPERM', 'EACCES'])

/** Runs a call of the kernel; a failure becomes an LbError that says what was attempted. */
export function attempt<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw translate(error)
  }
}

export function translate(error: unknown): unknown {
  if (!isSystemError(error)) return error
  const log = error.verifierLog ? `\n${error.verifierLog}` : ''
  const hint = HINTS[error.code]
  return new LbError(RIGHTS.has(error.code) ? 'host' : 'kernel', `${error.message}${log}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** `undefined` where the call fails with one of `codes`. */
export function unless<T>(codes: readonly string[], call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (isSystemError(error) && codes.includes(error.code)) return undefined
    throw translate(error)
  }
}
