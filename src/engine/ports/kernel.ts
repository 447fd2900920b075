/**
 * The kernel as the engine sees it: bpffs folders, maps, programs, links, routes. Implemented over
 * the addon by src/kernel, and in memory by test/support/fake-kernel.ts; one contract suite runs on both.
 * Failures are `LbError`s: `kernel` for a failed call, `host` for a missing right or interface.
 */
import type { NetInterface, NetRoute } from '../model/host.ts'
import type { AttachMode } from '../model/snapshot.ts'

export interface KernelPort {
  readonly fs: BpffsPort
  createMap(spec: MapSpec): MapPort
  /** `undefined` where nothing is pinned. */
  openMap(path: string): MapPort | undefined
  /**
   * Writes rows of maps of maps, in no order and at the same time: each write waits for packets that are under
   * way. Where one fails any of the others may have been done.
   */
  writeInners(rows: readonly InnerRow[]): void
  openProgram(path: string): ProgramPort | undefined
  openLink(path: string): LinkPort | undefined
  /** Loads the data plane's object; maps in `reuse` are used, others made. Close the result. */
  loadDataPlane(options: LoadOptions): DataPlanePort
  /** SHA-256 of the object file that `loadDataPlane` loads. */
  readonly objectSha256: Uint8Array
  readonly possibleCpus: number
  /** Puts a program on a hook and pins that at `path`: tcx and XDP links, or clsact filters on old kernels. */
  attach(program: ProgramPort, ifindex: number, hook: Hook, path: string): void
  /** Takes the program off and the pin away; nothing there is fine. */
  detach(path: string): void
  /** Takes the instance's lock, or says that another process has it. */
  tryLock(path: string): Disposable | undefined
  /**
   * Takes a lock that is held for moments only, waiting for it.
   * @throws LbError `locked` where that takes too long, `state` where there is nothing to lock
   */
  lock(path: string): Disposable
  /** Who holds the lock on `path`, where the host can tell. */
  lockHolder(path: string): LockHolder | undefined
  readonly net: NetPort
}

export interface BpffsPort {
  /** Names in a folder, sorted; `undefined` where there is none. */
  list(path: string): readonly string[] | undefined
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** A pin, or a folder with all in it; nothing to remove is fine. */
  remove(path: string): void
}

export interface MapSpec {
  readonly type: 'hash' | 'array' | 'lpm_trie' | 'percpu_array'
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: readonly ('no-prealloc' | 'inner-map')[]
}

export interface MapInfo {
  readonly id: number
  readonly type: string | number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
}

export interface Entries {
  readonly count: number
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

/** A row of a map of maps. */
export interface InnerRow {
  readonly outer: MapPort
  readonly key: Uint8Array
  /** `undefined`: the row is emptied. */
  readonly inner: MapPort | undefined
}

export interface MapPort extends Disposable {
  readonly info: MapInfo
  lookup(key: Uint8Array): Uint8Array | undefined
  update(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): boolean
  readAll(): Entries
  updateBatch(keys: Uint8Array, values: Uint8Array): void
  deleteBatch(keys: Uint8Array): number
  freeze(): void
  pin(path: string): void
}

export interface ProgramInfo {
  readonly id: number
  readonly tag: string
}

export interface ProgramPort extends Disposable {
  readonly info: ProgramInfo
  pin(path: string): void
  /** One run on a zeroed frame; the return value. */
  run(): number
}

export interface LinkPort extends Disposable {
  /** `ifindex` is 0 once the interface is gone or the link was detached. */
  readonly info: { readonly programId: number; readonly ifindex: number }
  /** Puts `program` in the place of the running one, between two packets. */
  update(program: ProgramPort): void
}

export interface LoadOptions {
  readonly reuse: Readonly<Record<string, MapPort>>
  readonly maxEntries: Readonly<Record<string, number>>
  readonly connections: ConnSets
}

/** Which tables of connections the programs use: see src/engine/execute/conn-tables.ts. */
export interface ConnSets {
  /** The set that new connections enter: 0 or 1. */
  readonly current: number
  readonly partitions: number
  /** Partitions of the other set, which are looked at too; 0: none. */
  readonly otherPartitions: number
}

export interface DataPlanePort extends Disposable {
  readonly mapNames: readonly string[]
  map(name: string): MapPort
  program(name: string): ProgramPort
}

export type Hook = 'xdp' | 'xdp-generic' | 'tcx-ingress' | 'tcx-egress'

export interface LockHolder {
  readonly pid: number
  readonly command: string
  readonly user: string | undefined
  /** ISO 8601. */
  readonly since: string | undefined
}

export interface NetPort {
  interfaces(): readonly NetInterface[]
  /** How packets to each address leave; `undefined` where there is no route. */
  routes(addresses: readonly string[]): readonly (NetRoute | undefined)[]
  neighbours(): readonly { readonly ip: string; readonly ifindex: number; readonly state: string }[]
}

/** Hooks that a mode attaches to, in order. */
export const HOOKS: Readonly<Record<AttachMode, readonly Hook[]>> = {
  xdp: ['xdp', 'tcx-egress'],
  'xdp-generic': ['xdp-generic', 'tcx-egress'],
  tcx: ['tcx-ingress', 'tcx-egress'],
  none: [],
}
