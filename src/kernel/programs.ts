/** Programs, and the object file that they come from. */
import { BpfObject, BpfProgram } from '../../native/index.ts'
import type { DataPlanePort, LoadOptions, ProgramPort } from '../engine/ports/kernel.ts'
import { attempt, unless } from './errors.ts'
import { mapPort, nativeMap } from './maps.ts'

const native = new WeakMap<ProgramPort, BpfProgram>()

export function openProgram(path: string): ProgramPort | undefined {
  const program = unless(['ENOENT'], () => BpfProgram.openPinned(path))
  return program && programPort(program)
}

export function nativeProgram(port: ProgramPort): BpfProgram {
  const program = native.get(port)
  if (!program) throw new TypeError('not a program of the kernel adapter')
  return program
}

/** The shortest frame that the kernel takes for a run: an Ethernet header and some room. */
const FRAME_SIZE = 64

function programPort(program: BpfProgram): ProgramPort {
  const port: ProgramPort = {
    info: program.info,
    pin: (path) => attempt(() => program.pin(path)),
    run: () => attempt(() => program.testRun({ data: new Uint8Array(FRAME_SIZE) })).retval,
    [Symbol.dispose]: () => program.close(),
  }
  native.set(port, program)
  return port
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

/** Loads the data plane's object file, with its constants set. */
export function loadDataPlane(path: string, options: LoadOptions): DataPlanePort {
  const { current, partitions, otherPartitions } = options.connections
  const object = attempt(() =>
    BpfObject.load(path, {
      reuse: Object.fromEntries(Object.entries(options.reuse).map(([name, map]) => [name, nativeMap(map)])),
      maxEntries: options.maxEntries,
      constants: {
        lb_conn_set: u32(current),
        lb_conn_partitions: u32(partitions),
        lb_conn_other_partitions: u32(otherPartitions),
      },
    }),
  )
  return {
    mapNames: object.mapNames,
    map: (name) => mapPort(attempt(() => object.map(name))),
    program: (name) => programPort(attempt(() => object.program(name))),
    [Symbol.dispose]: () => object.close(),
  }
}
