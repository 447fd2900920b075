/** The functions that the C code exports, and how the compiled addon is found. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BtfEnum, BtfStruct, InterfaceInfo, Neighbour, Route } from './types.ts'

declare const handleBrand: unique symbol
/** A descriptor, or an opened object, in the addon's keeping; freed by the garbage collector at the latest. */
export type Handle = { readonly [handleBrand]: true }
declare const ringBrand: unique symbol
/** A ring buffer on the event loop. */
export type RingHandle = { readonly [ringBrand]: true }
declare const connectorBrand: unique symbol
/** Connections under way on the event loop. */
export type ConnectorHandle = { readonly [connectorBrand]: true }

interface RawMapInfo {
  readonly id: number
  readonly type: number
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

interface RawProgramInfo {
  readonly id: number
  readonly type: number
  readonly name: string
  readonly tag: string
  readonly verifiedInsns: number
  readonly mapIds: readonly number[]
}

interface RawLinkInfo {
  readonly id: number
  readonly type: number
  readonly programId: number
  readonly ifindex: number
  readonly direction?: 'ingress' | 'egress'
}

interface RawTestRunResult {
  readonly retval: number
  readonly data: Uint8Array
  readonly context?: Uint8Array
  readonly durationNs: number
}

interface RawEntries {
  readonly count: number
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

/** A map of maps, the key, and what to put there; `undefined` empties the row. */
type RawInnerRow = readonly [outer: Handle, key: Uint8Array, inner: Handle | undefined]

export interface Binding {
  handleFd(handle: Handle): number
  handleClose(handle: Handle): void
  handlePin(handle: Handle, path: string): void

  mapCreate(
    type: number,
    name: string,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags: number,
    inner: Handle | undefined,
  ): Handle
  mapOpenPinned(path: string): Handle
  mapFromId(id: number): Handle
  mapInfo(map: Handle): RawMapInfo
  mapStride(map: Handle): number
  mapLookup(map: Handle, key: Uint8Array): Uint8Array | undefined
  mapUpdate(map: Handle, key: Uint8Array, value: Uint8Array, flags: number): void
  mapDelete(map: Handle, key: Uint8Array): boolean
  mapNextKey(map: Handle, key: Uint8Array | undefined): Uint8Array | undefined
  mapReadAll(map: Handle): RawEntries
  mapUpdateBatch(map: Handle, keys: Uint8Array, values: Uint8Array, flags: number): void
  mapDeleteBatch(map: Handle, keys: Uint8Array): number
  mapWriteInners(rows: readonly RawInnerRow[]): void
  mapFreeze(map: Handle): void

  objectOpen(path: string): Handle
  objectReuse(object: Handle, mapName: string, map: Handle): void
  objectMaxEntries(object: Handle, mapName: string, maxEntries: number): void
  objectConstant(object: Handle, name: string, value: Uint8Array): void
  objectPrograms(object: Handle, names: readonly string[]): void
  objectLoad(object: Handle): void
  objectMapNames(object: Handle): readonly string[]
  objectProgramNames(object: Handle): readonly string[]
  objectMap(object: Handle, name: string): Handle
  objectProgram(object: Handle, name: string): Handle

  programOpenPinned(path: string): Handle
  programFromId(id: number): Handle
  programInfo(program: Handle): RawProgramInfo
  programTestRun(
    program: Handle,
    data: Uint8Array,
    context: Uint8Array | undefined,
    repeat: number,
    outSize: number,
  ): RawTestRunResult

  linkAttachXdp(program: Handle, ifindex: number, generic: 0 | 1): Handle
  linkAttachTcx(program: Handle, ifindex: number, egress: 0 | 1): Handle
  linkOpenPinned(path: string): Handle
  linkInfo(link: Handle): RawLinkInfo
  linkUpdate(link: Handle, program: Handle): void
  linkDetach(link: Handle): void

  clsactAttach(program: Handle, ifindex: number, egress: 0 | 1, handle: number, priority: number): void
  clsactDetach(ifindex: number, egress: 0 | 1, handle: number, priority: number): void
  clsactQuery(ifindex: number, egress: 0 | 1, handle: number, priority: number): number | undefined

  ringOpen(map: Handle, onRecord: (record: Uint8Array) => void): RingHandle
  ringRef(ring: RingHandle): void
  ringUnref(ring: RingHandle): void
  ringClose(ring: RingHandle): void

  connectorOpen(onOutcome: (id: number, errno: number) => void): ConnectorHandle
  connectorStart(connector: ConnectorHandle, address: string, port: number): number
  connectorStop(connector: ConnectorHandle, id: number): void
  connectorClose(connector: ConnectorHandle): void

  readBtf(path: string): { structs: readonly BtfStruct[]; enums: readonly BtfEnum[] }
  lockDirectory(path: string): Handle | undefined
  interfaces(): readonly InterfaceInfo[]
  routesGet(destinations: readonly string[]): readonly (Route | undefined)[]
  neighbours(): readonly Neighbour[]
  possibleCpus(): number
  capabilities(): readonly string[]
  isBpffs(path: string): boolean
  sendDatagram(address: string, bytes: Uint8Array): void
}

/* Bundling moves this file, so the package's root is looked for, not counted in `..`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}

export const binding = createRequire(import.meta.url)(
  join(packageRoot(), 'native/build/Release/lb_native.node'),
) as Binding
