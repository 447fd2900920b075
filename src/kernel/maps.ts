/** Maps of the addon as the engine's port. */
import { BpfMap, MAP_FLAGS, writeInners as nativeWriteInners } from '../../native/index.ts'
import type { InnerRow, MapPort, MapSpec } from '../engine/ports/kernel.ts'
import { attempt, unless } from './errors.ts'

const native = new WeakMap<MapPort, BpfMap>()

export function createMap(spec: MapSpec): MapPort {
  const flags =
    (spec.flags.includes('no-prealloc') ? MAP_FLAGS.NO_PREALLOC : 0) |
    // Rows of large tables are read and written as memory.
    (spec.flags.includes('inner-map') ? MAP_FLAGS.INNER_MAP | MAP_FLAGS.MMAPABLE : 0)
  return mapPort(attempt(() => BpfMap.create({ ...spec, flags })))
}

export function openMap(path: string): MapPort | undefined {
  const map = unless(['ENOENT'], () => BpfMap.openPinned(path))
  return map && mapPort(map)
}

export function writeInners(rows: readonly InnerRow[]): void {
  attempt(() => {
    nativeWriteInners(
      rows.map(({ outer, key, inner }) => ({
        outer: nativeMap(outer),
        key,
        inner: inner && nativeMap(inner),
      })),
    )
  })
}

/** The addon's map behind a port that this module made. */
export function nativeMap(port: MapPort): BpfMap {
  const map = native.get(port)
  if (!map) throw new TypeError('not a map of the kernel adapter')
  return map
}

export function mapPort(map: BpfMap): MapPort {
  const port: MapPort = {
    info: map.info,
    lookup: (key) => attempt(() => map.lookup(key)),
    update: (key, value) => attempt(() => map.update(key, value)),
    delete: (key) => attempt(() => map.delete(key)),
    readAll: () => attempt(() => map.readAll()),
    updateBatch: (keys, values) => attempt(() => map.updateBatch(keys, values)),
    deleteBatch: (keys) => attempt(() => map.deleteBatch(keys)),
    freeze: () => attempt(() => map.freeze()),
    pin: (path) => attempt(() => map.pin(path)),
    [Symbol.dispose]: () => map.close(),
  }
  native.set(port, map)
  return port
}
