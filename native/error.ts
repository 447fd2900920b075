/** A failed call. `code` is the errno name (`EPERM`), `syscall` what was called (`bpf(BPF_MAP_CREATE)`). */
export interface NativeError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  /** For a failed load: the last lines of the verifier's log. */
  readonly verifierLog?: string
}
