/**
 * Builds a generation beside the running one. Nothing that packets see changes here: the outer maps
 * are filled in a slot that is not active. The manifest comes first, so that what is left of a killed
 * apply can be told apart (recover.ts).
 */
import { enums } from '../abi/layout.generated.ts'
import { arrayKeys, MANIFEST_SPEC, sameImage, TABLE_NAMES, TABLES } from '../abi/tables.ts'
import type { TableImage, TableImages, TableSpec } from '../abi/tables.ts'
import { digestTables } from '../live/digests.ts'
import type { TableDigests } from '../live/digests.ts'
import { encodeManifest } from '../live/manifest.ts'
import type { Manifest } from '../live/manifest.ts'
import { LbError } from '../model/errors.ts'
import type { MapPort } from '../ports/kernel.ts'
import { fillRows } from './inners.ts'
import type { FilledRow } from './inners.ts'
import { u32 } from './keys.ts'
import type { World } from './world.ts'

export interface StagedGeneration {
  readonly number: number
  readonly slot: number
  readonly images: TableImages
  readonly manifest: TableImage
  /** Tables shared with the running generation because they are the same. */
  readonly shared: number
}

/** A generation whose tables may be shared: its folder, and what its tables hold. */
export interface Shareable {
  readonly folder: string
  readonly digests: TableDigests
}

/** Room for entries that a repair or a later in-place change adds. */
const HASH_SLACK = 8

export function stage(
  world: World,
  manifest: Omit<Manifest, 'digests'>,
  images: TableImages,
  running: Shareable | undefined,
): StagedGeneration {
  const { kernel, host, paths } = world
  const { number, slot } = manifest.provenance
  const folder = paths.staged(number)
  kernel.fs.makeDirectory(folder)
  const digests = digestTables(images, host)
  const bytes = encodeManifest({ ...manifest, digests }, host)
  const count = bytes.length / MANIFEST_SPEC.valueSize
  const manifestImage: TableImage = { count, keys: arrayKeys(count), values: bytes }
  let shared = 0
  fillRows(kernel, (rows) => {
    const map = createTable(world, 'manifest', MANIFEST_SPEC, manifestImage)
    rows.push(pinTable(world, slot, 'manifest', map, folder))
    for (const name of TABLE_NAMES) {
      const same = running?.digests[name] === digests[name]
      const kept = running && same ? kernel.openMap(`${running.folder}/${name}`) : undefined
      if (kept) shared++
      const table = kept ?? createTable(world, name, TABLES[name], images[name])
      rows.push(pinTable(world, slot, name, table, folder))
    }
  })
  return { number, slot, images, manifest: manifestImage, shared }
}

function createTable({ kernel }: World, name: string, spec: TableSpec, image: TableImage): MapPort {
  const map = kernel.createMap({
    type: spec.kind === 'lpm' ? 'lpm_trie' : spec.kind,
    name,
    keySize: spec.keySize,
    valueSize: spec.valueSize,
    maxEntries: spec.kind === 'array' ? Math.max(1, image.count) : image.count + HASH_SLACK,
    flags: spec.kind === 'lpm' ? ['no-prealloc'] : spec.kind === 'array' ? ['inner-map'] : [],
  })
  try {
    if (image.count > 0) map.updateBatch(image.keys, image.values)
    return map
  } catch (error) {
    map[Symbol.dispose]()
    throw error
  }
}

/** Takes `map` also when it fails. */
function pinTable({ paths }: World, slot: number, name: string, map: MapPort, folder: string): FilledRow {
  try {
    if (name === 'manifest') map.freeze()
    map.pin(`${folder}/${name}`)
    return { outer: paths.outer(name), index: slot, inner: map }
  } catch (error) {
    map[Symbol.dispose]()
    throw error
  }
}

/** Reads every staged table back, as packets will reach it. @throws LbError `kernel` on any difference. */
export function verifyStaged({ kernel, paths }: World, staged: StagedGeneration): void {
  const folder = paths.staged(staged.number)
  const expected: readonly [string, TableSpec, TableImage][] = [
    ['manifest', MANIFEST_SPEC, staged.manifest],
    ...TABLE_NAMES.map((name) => [name, TABLES[name], staged.images[name]] as const).map(
      ([name, spec, image]): [string, TableSpec, TableImage] => [name, spec, image],
    ),
  ]
  for (const [name, spec, image] of expected) {
    using map = kernel.openMap(`${folder}/${name}`)
    using outer = kernel.openMap(paths.outer(name))
    const inner = outer?.lookup(u32(staged.slot))
    const id = inner && new DataView(inner.buffer, inner.byteOffset).getUint32(0, true)
    // What is known of targets may change the entries of a table that is shared: see activate.ts.
    const isChanging = name === 'selection'
    if (!map || id !== map.info.id || (!isChanging && !sameImage(spec, image, map.readAll()))) {
      throw new LbError(
        'kernel',
        `table ${name} of generation ${staged.number} does not read back as written`,
      )
    }
  }
}

/** A slot that no loaded generation has. */
export function freeSlot(taken: ReadonlySet<number>): number {
  for (let slot = 0; slot < enums.lb_limit.LB_SLOTS; slot++) if (!taken.has(slot)) return slot
  throw new LbError('state', `all ${enums.lb_limit.LB_SLOTS} slots hold a generation`)
}
