import { binding, type Handle } from './binding.ts'

export type MapType =
  | 'hash'
  | 'array'
  | 'percpu_hash'
  | 'percpu_array'
  | 'lru_hash'
  | 'lru_percpu_hash'
  | 'lpm_trie'
  | 'array_of_maps'
  | 'hash_of_maps'
  | 'prog_array'
  | 'ringbuf'
  | 'queue'
  | 'stack'
  | 'devmap'

/* enum bpf_map_type of <linux/bpf.h>. */
const TYPES: Readonly<Record<MapType, number>> = {
  hash: 1,
  array: 2,
  prog_array: 3,
  percpu_hash: 5,
  percpu_array: 6,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  devmap: 14,
  queue: 22,
  stack: 23,
  ringbuf: 27,
}
const TYPE_NAMES = new Map(Object.entries(TYPES).map(([name, type]) => [type, name as MapType]))

/** Flags of BPF_MAP_CREATE, from <linux/bpf.h>. */
export const MAP_FLAGS: {
  readonly NO_PREALLOC: number
  readonly MMAPABLE: number
  readonly INNER_MAP: number
} = {
  NO_PREALLOC: 1 << 0,
  MMAPABLE: 1 << 10,
  INNER_MAP: 1 << 12,
}
/** Flags of BPF_MAP_UPDATE_ELEM. */
export const UPDATE: { readonly ANY: 0; readonly NOEXIST: 1; readonly EXIST: 2 } = {
  ANY: 0,
  NOEXIST: 1,
  EXIST: 2,
}

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

/** A row of a map of maps, and the map to put there; `undefined` empties it. */
export interface InnerRow {
  readonly outer: BpfMap
  readonly key: Uint8Array
  readonly inner: BpfMap | undefined
}

/**
 * Writes at most 64 rows of maps of maps at the same time, in no order: the kernel makes each write wait for
 * packets that are under way, and so they wait together. Where some fail the others are written all the same.
 */
export function writeInners(rows: readonly InnerRow[]): void {
  binding.mapWriteInners(rows.map(({ outer, key, inner }) => [outer.handle, key, inner?.handle]))
}

/** A map's descriptor. Close it, or bind it with `using`. */
export class BpfMap implements Disposable {
  /** For the addon's own use. */
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
  }

  static create(spec: MapSpec): BpfMap {
    const type = Object.hasOwn(TYPES, spec.type) ? TYPES[spec.type] : undefined
    if (type === undefined) throw new TypeError(`unknown map type '${spec.type}'`)
    const { name, keySize, valueSize, maxEntries, flags = 0, inner } = spec
    return new BpfMap(binding.mapCreate(type, name, keySize, valueSize, maxEntries, flags, inner?.handle))
  }

  static openPinned(path: string): BpfMap {
    return new BpfMap(binding.mapOpenPinned(path))
  }

  /** Needs CAP_SYS_ADMIN. */
  static fromId(id: number): BpfMap {
    return new BpfMap(binding.mapFromId(id))
  }

  get fd(): number {
    return binding.handleFd(this.handle)
  }

  get info(): MapInfo {
    const info = binding.mapInfo(this.handle)
    return { ...info, type: TYPE_NAMES.get(info.type) ?? info.type }
  }

  /** Bytes of one value in a buffer: for per-CPU maps `round_up(valueSize, 8) × possible CPUs`. */
  get valueStride(): number {
    return binding.mapStride(this.handle)
  }

  /** `undefined` where there is no such entry. For maps of maps the value is the inner map's id. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    return binding.mapLookup(this.handle, key)
  }

  update(key: Uint8Array, value: Uint8Array, flags: number = UPDATE.ANY): void {
    binding.mapUpdate(this.handle, key, value, flags)
  }

  /** False where there was no such entry. */
  delete(key: Uint8Array): boolean {
    return binding.mapDelete(this.handle, key)
  }

  /** The key after `key`, or the first; `undefined` at the end. */
  nextKey(key?: Uint8Array): Uint8Array | undefined {
    return binding.mapNextKey(this.handle, key)
  }

  /**
   * Every entry, in batches where the kernel and the map's type have them, else one by one; no key
   * twice. A hash that changes meanwhile gives all that nobody touched; an LPM trie may miss some
   * (the kernel's walk loses its place). EAGAIN where a map changes too fast to be walked at all.
   */
  readAll(): Entries {
    return binding.mapReadAll(this.handle)
  }

  /** `keys.length / keySize` entries; batches or one by one. */
  updateBatch(keys: Uint8Array, values: Uint8Array, flags: number = UPDATE.ANY): void {
    binding.mapUpdateBatch(this.handle, keys, values, flags)
  }

  /** Deletes each key that exists; returns how many did. */
  deleteBatch(keys: Uint8Array): number {
    return binding.mapDeleteBatch(this.handle, keys)
  }

  /** No more changes from user space. */
  freeze(): void {
    binding.mapFreeze(this.handle)
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
