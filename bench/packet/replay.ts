/** One way of replaying packets: a hook, a frame and the flows that it stands for. */
import { type BpfMap, BpfObject, type BpfProgram } from '../../native/index.ts'
import { FRAME_SIZE } from './frames.ts'

export type Hook = 'xdp' | 'tc'

export interface ReplayOptions {
  readonly object: string
  readonly hook: Hook
  readonly frame: Uint8Array
  readonly addressAt: number
  readonly portAt: number
  readonly firstAddress: number
  readonly firstFlow: number
  readonly flows: number
  readonly ifindex: number
  /** For XDP: a table that `lookup` looks flows up in. */
  readonly table?: BpfMap
}

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)

/** A prime: it has no divisor in common with any number of flows that is not a multiple of it. */
const STRIDE = 48_611

export class Replay implements Disposable {
  readonly #hook: Hook
  readonly #wrapper: BpfProgram
  readonly #empty: BpfProgram
  readonly #route: BpfProgram
  readonly #lookup: BpfProgram | undefined
  readonly #callee: BpfMap
  readonly #state: BpfMap
  readonly #run: { readonly data: Uint8Array; readonly context: Uint8Array }

  constructor({ object: path, hook, frame, ifindex, table, ...where }: ReplayOptions) {
    if (frame.length !== FRAME_SIZE) throw new Error(`a frame has ${FRAME_SIZE} bytes, not ${frame.length}`)
    using object = BpfObject.load(path, {
      programs: [`replay_${hook}`, `empty_${hook}`, `route_${hook}`, ...(table ? ['lookup_xdp'] : [])],
      ...(table && { reuse: { replay_table: table } }),
      constants: {
        address_at: u32(where.addressAt),
        port_at: u32(where.portAt),
        first_address: u32(where.firstAddress),
        first_flow: u32(where.firstFlow),
        flows: u32(where.flows),
        stride: u32(where.flows === 1 ? 1 : STRIDE),
      },
    })
    this.#hook = hook
    this.#wrapper = object.program(`replay_${hook}`)
    this.#empty = object.program(`empty_${hook}`)
    this.#route = object.program(`route_${hook}`)
    this.#lookup = table && object.program('lookup_xdp')
    this.#callee = object.map(`replay_${hook}_callee`)
    this.#state = object.map('replay_state')
    this.#run = { data: frame, context: hook === 'xdp' ? xdpContext(ifindex) : skbContext(ifindex) }
    this.#write(frame)
  }

  #write(frame: Uint8Array): void {
    const state = new Uint8Array(this.#state.info.valueSize)
    state.set(frame)
    this.#state.update(u32(0), state)
  }

  /** Nanoseconds of one packet, with what the wrapper takes; from the first flow on. */
  measure(program: BpfProgram, repeat: number): number {
    this.#write(this.#run.data)
    this.#callee.update(u32(0), u32(program.fd))
    const { retval, durationNs } = this.#wrapper.testRun({ ...this.#run, repeat })
    if (retval === ABORTED[this.#hook]) throw new Error('the measured program was not reached, or failed')
    return durationNs
  }

  /** The same with a program that does nothing: what is to be taken off. */
  baseline(repeat: number): number {
    return this.measure(this.#empty, repeat)
  }

  /** The same with the kernel's route lookup alone. */
  route(repeat: number): number {
    return this.measure(this.#route, repeat)
  }

  /** The same with one lookup of the flow in `table`. */
  lookup(repeat: number): number {
    if (!this.#lookup) throw new Error('there is no table to look flows up in')
    return this.measure(this.#lookup, repeat)
  }

  [Symbol.dispose](): void {
    for (const program of [this.#wrapper, this.#empty, this.#route, this.#lookup]) program?.close()
    for (const map of [this.#callee, this.#state]) map.close()
  }
}

/** XDP_ABORTED and TC_ACT_SHOT, which none of our scenarios ends with. */
const ABORTED: Readonly<Record<Hook, number>> = { xdp: 0, tc: 2 }

/* struct xdp_md of <linux/bpf.h>: data, data_end, data_meta, ingress_ifindex, … */
export function xdpContext(ifindex: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(0, FRAME_SIZE, 0, ifindex, 0, 0).buffer)
}

/* struct __sk_buff: 48 words, of which ingress_ifindex and ifindex count. */
function skbContext(ifindex: number): Uint8Array {
  const words = new Uint32Array(48)
  words.fill(ifindex, 36 / 4, 44 / 4)
  return new Uint8Array(words.buffer)
}
