/**
 * The typed surface of the addon: libbpf and a few system calls, deciding nothing. Entries cross as
 * flat buffers (`count` keys of `keySize` bytes one after another, values likewise), never one
 * JavaScript object each. Every failure is a `NativeError`.
 */

/** A failed call. `code` is the errno name (`EPERM`), `syscall` what was called (`bpf(BPF_MAP_CREATE)`). */
export interface NativeError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  /** For a failed load: the last lines of the verifier's log. */
  readonly verifierLog?: string
}

export type MapType =
  | 'hash' | 'array' | 'percpu_hash' | 'percpu_array' | 'lru_hash' | 'lru_percpu_hash' | 'lpm_trie'
  | 'array_of_maps' | 'hash_of_maps' | 'prog_array' | 'ringbuf' | 'queue' | 'stack' | 'devmap'

/** Flags of BPF_MAP_CREATE, from <linux/bpf.h>. */
export declare const MAP_FLAGS: { readonly NO_PREALLOC: number; readonly MMAPABLE: number; readonly INNER_MAP: number }
/** Flags of BPF_MAP_UPDATE_ELEM. */
export declare const UPDATE: { readonly ANY: 0; readonly NOEXIST: 1; readonly EXIST: 2 }

export interface MapSpec {
  readonly type: MapType
  /** At most 15 characters reach the kernel. */
  readonly name: string
  readonly keySize: number
  /** As given at creation; for a per-CPU map the size of one CPU's value. */
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags?: number
  /** For maps of maps: a map like the inner ones. */
  readonly inner?: BpfMap
}

export interface MapInfo {
  readonly id: number
  readonly type: MapType | number
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

/** All entries of a map at one time, as far as the kernel can tell. */
export interface Entries {
  readonly count: number
  readonly keys: Uint8Array
  /** `count` × `valueStride` bytes. */
  readonly values: Uint8Array
}

/** A map's descriptor. Close it, or bind it with `using`. */
export declare class BpfMap implements Disposable {
  static create(spec: MapSpec): BpfMap
  static openPinned(path: string): BpfMap
  /** Needs CAP_SYS_ADMIN. */
  static fromId(id: number): BpfMap
  readonly fd: number
  readonly info: MapInfo
  /** Bytes of one value in a buffer: for per-CPU maps `round_up(valueSize, 8) × possible CPUs`. */
  readonly valueStride: number
  /** `undefined` where there is no such entry. For maps of maps the value is the inner map's id. */
  lookup(key: Uint8Array): Uint8Array | undefined
  update(key: Uint8Array, value: Uint8Array, flags?: number): void
  /** Puts `inner` into a map of maps. */
  updateInner(key: Uint8Array, inner: BpfMap): void
  /** False where there was no such entry. */
  delete(key: Uint8Array): boolean
  /** The key after `key`, or the first; `undefined` at the end. */
  nextKey(key?: Uint8Array): Uint8Array | undefined
  /** Every entry, in batches where the kernel and the map's type have them, else one by one. */
  readAll(): Entries
  /** `keys.length / keySize` entries; batches or one by one. */
  updateBatch(keys: Uint8Array, values: Uint8Array, flags?: number): void
  /** Deletes each key that exists; returns how many did. */
  deleteBatch(keys: Uint8Array): number
  /** No more changes from user space. */
  freeze(): void
  pin(path: string): void
  close(): void
  [Symbol.dispose](): void
}

export type ProgramType = 'xdp' | 'sched_cls' | number

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
  /** Bytes of room for the packet that comes out; default data.length + 256. */
  readonly outSize?: number
}

export interface TestRunResult {
  readonly retval: number
  readonly data: Uint8Array
  readonly context?: Uint8Array
  /** Average of one run, in nanoseconds. */
  readonly durationNs: number
}

export declare class BpfProgram implements Disposable {
  static openPinned(path: string): BpfProgram
  /** Needs CAP_SYS_ADMIN. */
  static fromId(id: number): BpfProgram
  readonly fd: number
  readonly info: ProgramInfo
  testRun(run: TestRun): TestRunResult
  pin(path: string): void
  close(): void
  [Symbol.dispose](): void
}

/** What becomes of an object's maps when it is loaded. Maps not named are created as the object says. */
export interface LoadOptions {
  /** Use these instead of creating them. */
  readonly reuse?: Readonly<Record<string, BpfMap>>
  readonly maxEntries?: Readonly<Record<string, number>>
  /** Initial contents of `.rodata` variables, by name; sizes must fit. */
  readonly constants?: Readonly<Record<string, Uint8Array>>
  /** Load only these programs. */
  readonly programs?: readonly string[]
}

/** A loaded object file. Maps and programs taken out of it live on after it is closed. */
export declare class BpfObject implements Disposable {
  static load(path: string, options?: LoadOptions): BpfObject
  readonly mapNames: readonly string[]
  readonly programNames: readonly string[]
  /** A descriptor of its own for the caller to close. */
  map(name: string): BpfMap
  program(name: string): BpfProgram
  close(): void
  [Symbol.dispose](): void
}

export type XdpMode = 'native' | 'generic'
export type TcDirection = 'ingress' | 'egress'

export interface LinkInfo {
  readonly id: number
  readonly type: 'xdp' | 'tcx' | number
  readonly programId: number
  /** 0 once the interface is gone. */
  readonly ifindex: number
  /** For tcx: which hook. */
  readonly direction?: TcDirection
}

export declare class BpfLink implements Disposable {
  /** EBUSY where another program is attached, EOPNOTSUPP or EINVAL where the driver cannot. */
  static attachXdp(program: BpfProgram, ifindex: number, mode: XdpMode): BpfLink
  /** Kernel 6.6 and later; EINVAL on older ones. */
  static attachTcx(program: BpfProgram, ifindex: number, direction: TcDirection): BpfLink
  static openPinned(path: string): BpfLink
  readonly fd: number
  readonly info: LinkInfo
  /** Atomically puts `program` in the place of the running one. */
  update(program: BpfProgram): void
  /** Detaches now, whoever else holds the link. */
  detach(): void
  pin(path: string): void
  close(): void
  [Symbol.dispose](): void
}

/** The fallback for kernels without tcx: a filter on the clsact qdisc, not a link and never pinned. */
export interface ClsactFilter {
  readonly ifindex: number
  readonly direction: TcDirection
  readonly handle: number
  readonly priority: number
}
export declare function clsactAttach(program: BpfProgram, filter: ClsactFilter): void
export declare function clsactDetach(filter: ClsactFilter): void
/** The id of the program attached so, or `undefined`. */
export declare function clsactQuery(filter: ClsactFilter): number | undefined

/** Records of a ring buffer, delivered on the event loop until closed. */
export declare class RingBuffer implements Disposable {
  /** `onRecord` gets a copy of each record. `unref()`ed buffers do not keep the process alive. */
  constructor(map: BpfMap, onRecord: (record: Uint8Array) => void)
  ref(): void
  unref(): void
  close(): void
  [Symbol.dispose](): void
}

export interface BtfField {
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  /** Bytes; of the whole array for arrays. */
  readonly size: number
  readonly kind: 'int' | 'array' | 'struct' | 'union' | 'enum' | 'pointer' | 'other'
  /** The type's name after typedefs are followed (`unsigned int`), the typedef's own first name in `typeName`. */
  readonly typeName: string
  readonly signed: boolean
  /** For arrays: number of elements and size of one. */
  readonly length?: number
  readonly elementSize?: number
}
export interface BtfStruct { readonly name: string; readonly size: number; readonly fields: readonly BtfField[] }
export interface BtfEnum { readonly name: string; readonly values: Readonly<Record<string, number>> }
/** Every named struct and enum in an object file's BTF. */
export declare function readBtf(objectPath: string): { structs: readonly BtfStruct[]; enums: readonly BtfEnum[] }

/** An exclusive OS lock (flock) on a directory, freed when closed and when its holder dies. */
export declare class DirectoryLock implements Disposable {
  /** `undefined` where another process holds it. */
  static tryAcquire(path: string): DirectoryLock | undefined
  close(): void
  [Symbol.dispose](): void
}

export interface InterfaceInfo {
  readonly name: string
  readonly ifindex: number
  /** From ethtool; `''` where the driver does not say. */
  readonly driver: string
  readonly mtu: number
  readonly up: boolean
  readonly mac: string
  /** NETDEV_XDP_ACT_* bits from the netdev netlink family (kernel 6.3), or `undefined`. */
  readonly xdpFeatures: number | undefined
  /** ethtool offloads that matter: `rx-checksum`, `tx-checksum`, `tso`, `gso`, `gro`, `lro`. */
  readonly offloads: Readonly<Record<string, boolean>>
}
/** Interfaces of the caller's network namespace (never read from /sys, which may show another's). */
export declare function interfaces(): readonly InterfaceInfo[]
/** How packets to `destination` leave, by RTM_GETROUTE. `undefined` where there is no route. */
export declare function routeGet(destination: string): Route | undefined
export interface Route {
  readonly ifindex: number
  readonly gateway: string | undefined
  readonly source: string | undefined
  /** 'local': the address is this host's own. */
  readonly type: 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit' | 'other'
}
export interface Neighbour {
  readonly ip: string
  readonly ifindex: number
  readonly mac: string | undefined
  readonly state: 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'incomplete' | 'permanent' | 'noarp' | 'none'
}
export declare function neighbours(): readonly Neighbour[]

/** Number of possible CPUs: how many values a per-CPU entry has. */
export declare function possibleCpus(): number
/** Effective capabilities of this process, lower-case names without `cap_`: `bpf`, `net_admin`. */
export declare function capabilities(): ReadonlySet<string>
/** Whether `path` is on a mounted bpf file system. */
export declare function isBpffs(path: string): boolean
