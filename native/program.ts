import { binding, type Handle } from './binding.ts'

export type ProgramType = 'xdp' | 'sched_cls' | number

/* enum bpf_prog_type of <linux/bpf.h>. */
const TYPE_NAMES: ReadonlyMap<number, ProgramType> = new Map([
  [3, 'sched_cls'],
  [6, 'xdp'],
])

export interface ProgramInfo {
  readonly id: number
  readonly type: ProgramType
  readonly name: string
  /** Eight bytes in hex: a hash of the instructions. */
  readonly tag: string
  /** Instructions that the verifier walked. */
  readonly verifiedInsns: number
  readonly mapIds: readonly number[]
}

export interface TestRun {
  readonly data: Uint8Array
  /** struct xdp_md or struct __sk_buff, as `bpf_prog_test_run` takes it. */
  readonly context?: Uint8Array
  readonly repeat?: number
  /** Bytes of room for the packet that comes out; default data.length + 256. ENOSPC where it is too small. */
  readonly outSize?: number
}

export interface TestRunResult {
  readonly retval: number
  readonly data: Uint8Array
  readonly context?: Uint8Array
  /** Average of one run, in nanoseconds. */
  readonly durationNs: number
}

/** Room beside the packet that goes in: enough for any header a program may add. */
const DEFAULT_ROOM = 256

/** A loaded program's descriptor. Close it, or bind it with `using`. */
export class BpfProgram implements Disposable {
  /** For the addon's own use. */
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
  }

  static openPinned(path: string): BpfProgram {
    return new BpfProgram(binding.programOpenPinned(path))
  }

  /** Needs CAP_SYS_ADMIN. */
  static fromId(id: number): BpfProgram {
    return new BpfProgram(binding.programFromId(id))
  }

  get fd(): number {
    return binding.handleFd(this.handle)
  }

  get info(): ProgramInfo {
    const info = binding.programInfo(this.handle)
    return { ...info, type: TYPE_NAMES.get(info.type) ?? info.type }
  }

  testRun(run: TestRun): TestRunResult {
    const { data, context, repeat = 1, outSize = data.length + DEFAULT_ROOM } = run
    return binding.programTestRun(this.handle, data, context, repeat, outSize)
  }

  pin(path: string): void {
    binding.handlePin(this.handle, path)
  }

  close(): void {
    binding.handleClose(this.handle)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
