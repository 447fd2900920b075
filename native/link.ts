import { binding, type Handle } from './binding.ts'
import type { BpfProgram } from './program.ts'

export type XdpMode = 'native' | 'generic'
export type TcDirection = 'ingress' | 'egress'

/* enum bpf_link_type of <linux/bpf.h>. */
const TYPE_NAMES: ReadonlyMap<number, 'xdp' | 'tcx'> = new Map([
  [6, 'xdp'],
  [11, 'tcx'],
])

export interface LinkInfo {
  readonly id: number
  readonly type: 'xdp' | 'tcx' | number
  readonly programId: number
  /** 0 once the interface is gone. */
  readonly ifindex: number
  /** For tcx: which hook. */
  readonly direction?: TcDirection
}

/** A link's descriptor. What it attaches stays attached while it is open somewhere or pinned. */
export class BpfLink implements Disposable {
  /** For the addon's own use. */
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
  }

  /** EBUSY where another program is attached, EOPNOTSUPP or EINVAL where the driver cannot. */
  static attachXdp(program: BpfProgram, ifindex: number, mode: XdpMode): BpfLink {
    return new BpfLink(binding.linkAttachXdp(program.handle, ifindex, choose(mode, 'native', 'generic')))
  }

  /** Kernel 6.6 and later; EINVAL on older ones. */
  static attachTcx(program: BpfProgram, ifindex: number, direction: TcDirection): BpfLink {
    return new BpfLink(binding.linkAttachTcx(program.handle, ifindex, choose(direction, 'ingress', 'egress')))
  }

  static openPinned(path: string): BpfLink {
    return new BpfLink(binding.linkOpenPinned(path))
  }

  get fd(): number {
    return binding.handleFd(this.handle)
  }

  get info(): LinkInfo {
    const info = binding.linkInfo(this.handle)
    return { ...info, type: TYPE_NAMES.get(info.type) ?? info.type }
  }

  /** Atomically puts `program` in the place of the running one. */
  update(program: BpfProgram): void {
    binding.linkUpdate(this.handle, program.handle)
  }

  /** Detaches now, whoever else holds the link. */
  detach(): void {
    binding.linkDetach(this.handle)
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

/** The fallback for kernels without tcx: a filter on the clsact qdisc, not a link and never pinned. */
export interface ClsactFilter {
  readonly ifindex: number
  readonly direction: TcDirection
  /** From 1. */
  readonly handle: number
  /** From 1 to 65535. */
  readonly priority: number
}

/** Creates the qdisc where there is none, and takes the place of a filter with the same handle and priority. */
export function clsactAttach(program: BpfProgram, filter: ClsactFilter): void {
  binding.clsactAttach(program.handle, ...clsactArguments(filter))
}

/** Leaves the qdisc, which others may use. ENOENT, or EINVAL without a qdisc, where there is no such filter. */
export function clsactDetach(filter: ClsactFilter): void {
  binding.clsactDetach(...clsactArguments(filter))
}

/** The id of the program attached so, or `undefined`. */
export function clsactQuery(filter: ClsactFilter): number | undefined {
  return binding.clsactQuery(...clsactArguments(filter))
}

function clsactArguments(filter: ClsactFilter): [number, 0 | 1, number, number] {
  return [filter.ifindex, choose(filter.direction, 'ingress', 'egress'), filter.handle, filter.priority]
}

function choose<T extends string>(value: T, zero: T, one: T): 0 | 1 {
  if (value !== zero && value !== one) throw new TypeError(`'${value}' must be '${zero}' or '${one}'`)
  return value === one ? 1 : 0
}
