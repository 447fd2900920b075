/**
 * The typed surface of the addon: libbpf and a few system calls, deciding nothing. Entries cross as
 * flat buffers (`count` keys of `keySize` bytes one after another, values likewise), never one
 * JavaScript object each. Every failed call is a `NativeError`; a wrong argument is a TypeError or a
 * RangeError.
 */
export type { NativeError } from './error.ts'
export {
  BpfMap,
  MAP_FLAGS,
  UPDATE,
  writeInners,
  type Entries,
  type InnerRow,
  type MapInfo,
  type MapSpec,
  type MapType,
} from './map.ts'
export {
  BpfProgram,
  type ProgramInfo,
  type ProgramType,
  type TestRun,
  type TestRunResult,
} from './program.ts'
export { BpfObject, type LoadOptions } from './object.ts'
export {
  BpfLink,
  clsactAttach,
  clsactDetach,
  clsactQuery,
  type ClsactFilter,
  type LinkInfo,
  type TcDirection,
  type XdpMode,
} from './link.ts'
export { RingBuffer } from './ringbuf.ts'
export { Connector } from './connect.ts'
export { readBtf } from './btf.ts'
export { DirectoryLock } from './lock.ts'
export { interfaces, neighbours, routeGet, routesGet } from './network.ts'
export type { BtfEnum, BtfField, BtfStruct, InterfaceInfo, Neighbour, Route } from './types.ts'
export { capabilities, isBpffs, possibleCpus, sendDatagram } from './system.ts'
