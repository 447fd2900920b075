/** The fake's data plane: the maps and programs that the object file has. */
import { enums } from '../../src/engine/abi/layout.generated.ts'
import { structSize } from '../../src/engine/abi/struct.ts'
import type { StructName } from '../../src/engine/abi/struct.ts'
import { MANIFEST_SPEC, TABLES } from '../../src/engine/abi/tables.ts'
import type { TableSpec } from '../../src/engine/abi/tables.ts'
import type { DataPlanePort, LoadOptions, ProgramPort } from '../../src/engine/ports/kernel.ts'
import { openPin, pinObject } from './fake-kernel-fs.ts'
import { fakeMapOf, makeMap, mapPort } from './fake-kernel-map.ts'
import { errno, newId } from './fake-kernel-state.ts'
import type { FakeMap, FakeMapShape, FakeProgram } from './fake-kernel-state.ts'
import type { Session } from './fake-kernel-session.ts'

const { LB_SLOTS, LB_CONN_SETS, LB_CONN_PARTITIONS_MAX } = enums.lb_limit

interface ObjectMap extends FakeMapShape {
  readonly template?: FakeMapShape
}

const array = (valueSize: number, maxEntries = 1): ObjectMap => ({
  type: 'array',
  keySize: 4,
  valueSize,
  maxEntries,
  flags: [],
})

const perCpu = (valueSize: number, maxEntries: number): ObjectMap => ({
  ...array(valueSize, maxEntries),
  type: 'percpu_array',
})

function outer({ kind, keySize, valueSize }: TableSpec, maxEntries: number): ObjectMap {
  const type = kind === 'lpm' ? 'lpm_trie' : kind
  const flags = { lpm: ['no-prealloc'], array: ['inner-map'], hash: [] } as const
  const template: FakeMapShape = { type, keySize, valueSize, maxEntries: 1, flags: flags[kind] }
  return { type: 'array_of_maps', keySize: 4, valueSize: 4, maxEntries, flags: [], template }
}

const connections = (key: StructName, value: StructName): ObjectMap =>
  outer(
    { kind: 'hash', keySize: structSize(key), valueSize: structSize(value) },
    LB_CONN_SETS * LB_CONN_PARTITIONS_MAX,
  )

/** bpf/maps.h; the contract suite compares this with the compiled object. */
export const OBJECT_MAPS: Readonly<Record<string, ObjectMap>> = {
  ...Object.fromEntries(Object.entries(TABLES).map(([name, spec]) => [name, outer(spec, LB_SLOTS)])),
  manifest: outer(MANIFEST_SPEC, LB_SLOTS),
  active: array(4),
  conn4: connections('lb_conn4_key', 'lb_conn4'),
  conn6: connections('lb_conn6_key', 'lb_conn6'),
  conn_locks: array(64, 1024),
  conn_totals: array(structSize('lb_conn_totals')),
  sweep: array(structSize('lb_sweep')),
  backend_stats: perCpu(structSize('lb_backend_stats'), 4096),
  backend_ids: {
    type: 'hash',
    keySize: structSize('lb_backend_id'),
    valueSize: 4,
    maxEntries: 4096,
    flags: ['no-prealloc'],
  },
  removed: {
    type: 'hash',
    keySize: structSize('lb_removed_key'),
    valueSize: structSize('lb_removed'),
    maxEntries: 65536,
    flags: ['no-prealloc'],
  },
  reasons: perCpu(8, 128),
  meta: array(structSize('lb_meta')),
}

export const OBJECT_PROGRAMS = ['lb_xdp', 'lb_tc_ingress', 'lb_tc_egress', 'lb_sweep_start'] as const

/** Loads the object with the SHA-256 `object`. */
export function loadDataPlane(session: Session, object: string, options: LoadOptions): DataPlanePort {
  session.call('load the data plane')
  const maps: Record<string, FakeMap> = {}
  for (const [name, shape] of Object.entries(OBJECT_MAPS)) {
    const reused = options.reuse[name]
    maps[name] = reused ? requireLike(fakeMapOf(reused), shape) : newMap(session, name, shape, options)
  }
  const programs = OBJECT_PROGRAMS.map((name): FakeProgram => {
    return { kind: 'program', id: newId(session.state), name, object, maps }
  })
  const held = [...Object.values(maps), ...programs].map((item) => session.descriptor(item))
  return {
    mapNames: Object.keys(maps),
    map(name) {
      const map = maps[name]
      if (!map) throw errno('ENOENT', `map ${name}`)
      return mapPort(session, map)
    },
    program(name) {
      const program = programs.find((item) => item.name === name)
      if (!program) throw errno('ENOENT', `program ${name}`)
      return programPort(session, program)
    },
    [Symbol.dispose]: () => held.forEach(({ close }) => close()),
  }
}

function newMap(session: Session, name: string, shape: ObjectMap, { maxEntries }: LoadOptions): FakeMap {
  const { template, ...spec } = shape
  return makeMap(session, { ...spec, name, maxEntries: maxEntries[name] ?? spec.maxEntries }, template)
}

function requireLike(map: FakeMap, { type, keySize, valueSize }: ObjectMap): FakeMap {
  if (map.type === type && map.keySize === keySize && map.valueSize === valueSize) return map
  throw errno('EINVAL', `reuse map ${map.name}`)
}

const programs = new WeakMap<ProgramPort, () => FakeProgram>()

/** The program behind a port. */
export function fakeProgramOf(port: ProgramPort): FakeProgram {
  const use = programs.get(port)
  if (!use) throw new TypeError('not a program of the fake kernel')
  return use()
}

export function programPort(session: Session, program: FakeProgram): ProgramPort {
  const { use, close } = session.descriptor(program)
  const port: ProgramPort = {
    info: { id: program.id, tag: program.object.slice(0, 16) },
    pin: (path) => pinObject(session, use(), path),
    run() {
      session.call(`run ${program.name}`)
      const { name, maps } = use()
      if (name === 'lb_sweep_start' && maps['sweep']) maps['sweep'].timer = program
      return 0
    },
    [Symbol.dispose]: close,
  }
  programs.set(port, use)
  return port
}

export function openProgram(session: Session, path: string): ProgramPort | undefined {
  const program = openPin(session, path, 'program')
  return program && programPort(session, program)
}
