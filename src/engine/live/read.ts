/** Reads an instance back from its pins: what the maps say, and where that is not what an apply made. */
import { enums } from '../abi/layout.generated.ts'
import { rowsOver } from '../abi/struct.ts'
import { hex } from '../abi/describe.ts'
import { arrayImage, TABLE_NAMES, TABLES } from '../abi/tables.ts'
import type { TableImage, TableImages, TableName } from '../abi/tables.ts'
import { LbError } from '../model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../model/live.ts'
import type { LiveState } from '../model/live.ts'
import type { Drift } from '../model/plan.ts'
import { driftSince } from './applied.ts'
import type { HostPort } from '../ports/host.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { decode } from './decode.ts'
import { digestTables } from './digests.ts'
import type { TableDigests } from './digests.ts'
import { generationFolders, readActiveSlot, readManifest } from './generations.ts'
import type { GenerationFolder } from './generations.ts'
import { linkDrift } from './links.ts'
import { isAttached, LATER_MAPS, missingPin, requirePins } from './pins.ts'
import { readRuntimes } from './runtime.ts'
import type { Manifest } from './manifest.ts'
import type { InstancePaths } from '../model/paths.ts'

/** Where drift of that table is found. */
const SELECTION = 'table selection'

export const SLOT_NONE = enums.lb_limit.LB_SLOT_NONE
const UNKNOWN_PROGRAM = '0'.repeat(64)
export const ABI_VERSION = enums.lb_limit.LB_ABI_VERSION

/** The live tables as bytes, for staging, with what was read from them. */
export interface LiveTables {
  readonly live: LiveState
  /** `undefined` where nothing is applied. */
  readonly folder: GenerationFolder | undefined
  readonly images: TableImages | undefined
  readonly digests: TableDigests | undefined
}

/**
 * @throws LbError `state` where the instance is of another version or lacks what no apply can make
 * good, naming it.
 */
export function readLive(
  kernel: KernelPort,
  host: HostPort,
  instance: string,
  paths: InstancePaths,
): LiveTables {
  const program = readMeta(kernel, paths)
  const slot = program && readActiveSlot(kernel, paths, SLOT_NONE)
  if (slot === undefined) return nothingApplied(host, instance, program)
  const folder = generationFolders(kernel, paths).find(({ header }) => header?.slot === slot)
  if (!folder) {
    throw new LbError(
      'state',
      `instance ${instance}: no generation under ${paths.generations} owns the active slot ${slot}`,
      {
        hint: `its pins were changed by something else than lb; \`lb destroy\` removes what is left, \`lb apply\` starts anew`,
      },
    )
  }
  const structural: Drift[] = []
  const images = readTables(kernel, paths, folder, slot, structural)
  const manifest = tryManifest(kernel, host, folder, structural)
  const found = digestTables(images, host)
  const applied = manifest?.deployment
  const changed = manifest ? changesSince(kernel, paths, { manifest, images, digests: found, folder }) : []
  // What is known of targets comes and goes: that is no other state of what was configured.
  const asConfigured = manifest && !changed.some(({ where }) => where === SELECTION)
  const digests = asConfigured ? { ...found, selection: manifest.digests.selection } : found
  // What an apply compiled and nobody changed says what that apply was given.
  const deployment = applied && changed.length === 0 ? applied : decode(images, applied?.snapshot)
  const drift = [
    ...structural,
    ...changed,
    ...linkDrift(kernel, paths, applied?.attachments ?? deployment.attachments),
  ]
  const fingerprint = host.digest([
    `${folder.number}\n${program?.sha256}\n${JSON.stringify(structural)}\n`,
    JSON.stringify(drift),
    JSON.stringify(digests),
  ])
  return {
    live: { instance, generation: folder.number, slot, fingerprint, deployment, applied, drift, program },
    folder,
    images,
    digests,
  }
}

interface Read {
  readonly manifest: Manifest
  readonly images: TableImages
  readonly digests: TableDigests
  readonly folder: GenerationFolder
}

/** Selection is read again where a writer of what is known may have been in the middle of it. */
function changesSince(kernel: KernelPort, paths: InstancePaths, read: Read): Drift[] {
  const { manifest, images, digests, folder } = read
  const changed = driftSince(manifest, images, digests, readRuntimes(kernel, paths))
  if (!changed.some(({ where }) => where === SELECTION)) return changed
  using _lock = patiently(() => kernel.lock(paths.generations))
  using map = kernel.openMap(`${folder.path}/selection`)
  if (!map) return changed
  return driftSince(manifest, { ...images, selection: map.readAll() }, digests, readRuntimes(kernel, paths))
}

/** Without the lock, where somebody keeps it. */
function patiently(lock: () => Disposable): Disposable | undefined {
  try {
    return lock()
  } catch (error) {
    if (error instanceof LbError && error.code === 'locked') return undefined
    throw error
  }
}

function nothingApplied(host: HostPort, instance: string, program: LiveState['program']): LiveTables {
  const live: LiveState = {
    instance,
    generation: 0,
    slot: SLOT_NONE,
    fingerprint: host.digest(['nothing applied']),
    deployment: EMPTY_DEPLOYMENT,
    applied: EMPTY_DEPLOYMENT,
    drift: [],
    program,
  }
  return { live, folder: undefined, images: undefined, digests: undefined }
}

/** `undefined` where the instance does not exist, or was never finished. */
function readMeta(kernel: KernelPort, paths: InstancePaths): LiveState['program'] {
  const names = kernel.fs.list(paths.root)
  if (!names?.includes('active')) {
    const applied = kernel.fs.list(paths.generations)?.some((name) => /^[0-9]+$/.test(name))
    if (applied || isAttached(kernel, paths)) throw missingPin(paths.active)
    return undefined
  }
  using map = kernel.openMap(paths.meta)
  const value = map?.lookup(new Uint8Array(4))
  if (!value) throw missingPin(paths.meta)
  const rows = rowsOver('lb_meta', value)
  const version = rows.get(0, 'abi_version')
  if (version !== ABI_VERSION) {
    throw new LbError(
      'state',
      `${paths.root} was made by another version of lb: its maps have layout ${version}, this lb reads ${ABI_VERSION}`,
      {
        hint: 'use the lb that made it, or `lb destroy` it with that one and apply anew with this one',
      },
    )
  }
  requirePins(kernel, paths)
  // Programs without a map that this version has are another version's, whatever they say: they are to be replaced.
  const complete = LATER_MAPS.every((name) => names.includes(name))
  return { sha256: complete ? hex(rows.slice(0, 'object_sha256')) : UNKNOWN_PROGRAM }
}

export function readTables(
  kernel: KernelPort,
  paths: InstancePaths,
  folder: GenerationFolder,
  slot: number,
  drift: Drift[],
): TableImages {
  const slotKey = new Uint8Array(Uint32Array.of(slot).buffer)
  const images: Partial<Record<TableName, TableImage>> = {}
  for (const name of TABLE_NAMES) {
    const spec = TABLES[name]
    using map = kernel.openMap(`${folder.path}/${name}`)
    const address = `generation[${folder.number}].${name}`
    if (!map) {
      images[name] = spec.kind === 'array' ? arrayImage(new Uint8Array(), spec.valueSize) : EMPTY
      drift.push({
        action: 'delete',
        address,
        before: { pinned: true },
        after: null,
        where: `${folder.path}/${name}`,
      })
      continue
    }
    const { keySize, valueSize, id } = map.info
    if (keySize !== spec.keySize || valueSize !== spec.valueSize) {
      throw new LbError(
        'state',
        `${folder.path}/${name} is not a map that lb made: keys of ${keySize} bytes and values of ${valueSize}, not ${spec.keySize} and ${spec.valueSize}`,
      )
    }
    images[name] = map.readAll()
    using outer = kernel.openMap(paths.outer(name))
    if (!outer) throw missingPin(paths.outer(name))
    const value = outer.lookup(slotKey)
    const inUse = value ? new DataView(value.buffer, value.byteOffset).getUint32(0, true) : 0
    if (inUse !== id) {
      drift.push({
        action: 'update',
        address,
        before: { mapId: id },
        after: { mapId: inUse },
        where: paths.outer(name),
      })
    }
  }
  return images as TableImages
}

const EMPTY: TableImage = { count: 0, keys: new Uint8Array(), values: new Uint8Array() }

function tryManifest(
  kernel: KernelPort,
  host: HostPort,
  folder: GenerationFolder,
  drift: Drift[],
): Manifest | undefined {
  try {
    return readManifest(kernel, host, folder.path)
  } catch (error) {
    if (!(error instanceof LbError) || error.code !== 'state') throw error
    const address = `generation[${folder.number}].manifest`
    drift.push({
      action: 'delete',
      address,
      before: { readable: true },
      after: null,
      where: `${folder.path}/manifest`,
    })
    return undefined
  }
}
