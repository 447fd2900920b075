/** The generations that are loaded: folders under gen/, told apart by the header of their manifest. */
import { LbError } from '../model/errors.ts'
import type { GenerationRecord } from '../model/live.ts'
import type { HostPort } from '../ports/host.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { decodeHead, decodeManifest, headChunks, readHeader } from './manifest.ts'
import type { Manifest, ManifestHead, ManifestHeader } from './manifest.ts'
import { parseGenerationFolder } from '../model/paths.ts'
import type { InstancePaths } from '../model/paths.ts'

export interface GenerationFolder {
  readonly number: number
  /** Not yet, or no longer quite, a generation: see execute/recover.ts. */
  readonly staged: boolean
  readonly path: string
  /** `undefined` where its manifest is missing or foreign. */
  readonly header: ManifestHeader | undefined
}

/** By number, oldest first. */
export function generationFolders(kernel: KernelPort, paths: InstancePaths): GenerationFolder[] {
  return (kernel.fs.list(paths.generations) ?? [])
    .flatMap((name) => {
      const folder = parseGenerationFolder(name)
      if (!folder) return []
      const path = `${paths.generations}/${name}`
      return [{ ...folder, path, header: readManifestHeader(kernel, path) }]
    })
    .sort((a, b) => a.number - b.number)
}

const lastInSlot = new WeakMap<InstancePaths, { readonly folder: GenerationFolder; readonly id: number }>()

/**
 * The generation that owns a slot. No two that are there own the same, and no other map gets the id of a manifest:
 * while the one that was found before is there, the others need no look.
 */
export function folderInSlot(
  kernel: KernelPort,
  paths: InstancePaths,
  slot: number,
): GenerationFolder | undefined {
  const last = lastInSlot.get(paths)
  if (last?.folder.header?.slot === slot && manifestId(kernel, last.folder) === last.id) return last.folder
  const folder = generationFolders(kernel, paths).find(({ header }) => header?.slot === slot)
  const id = folder && manifestId(kernel, folder)
  if (folder && id !== undefined) lastInSlot.set(paths, { folder, id })
  return folder
}

function manifestId(kernel: KernelPort, { path }: GenerationFolder): number | undefined {
  using map = kernel.openMap(`${path}/manifest`)
  return map?.info.id
}

const FIRST = new Uint8Array(4)

function readManifestHeader(kernel: KernelPort, folder: string): ManifestHeader | undefined {
  using map = kernel.openMap(`${folder}/manifest`)
  const chunk = map?.lookup(FIRST)
  return chunk && readHeader(chunk)
}

/** The one that was read last. */
const latest = new WeakMap<KernelPort, { readonly id: number; readonly manifest: Manifest }>()

/**
 * Decodes it once: it is frozen, and no other map gets the same id while the host runs.
 * @throws LbError `state` where the manifest is missing or damaged.
 */
export function readManifest(kernel: KernelPort, host: HostPort, folder: string): Manifest {
  using map = kernel.openMap(`${folder}/manifest`)
  if (!map) throw new LbError('state', `${folder}/manifest is missing`)
  const { id } = map.info
  const known = latest.get(kernel)
  if (known?.id === id) return known.manifest
  const manifest = decodeManifest(map.readAll().values, host)
  latest.set(kernel, { id, manifest })
  return manifest
}

/** The manifest without the deployment. @throws LbError `state` where it is missing or damaged. */
export function readHead(kernel: KernelPort, host: HostPort, folder: GenerationFolder): ManifestHead {
  using map = kernel.openMap(`${folder.path}/manifest`)
  if (!map || !folder.header) throw new LbError('state', `${folder.path}/manifest is missing or foreign`)
  const keys = Array.from(
    { length: headChunks(folder.header) },
    (_, i) => new Uint8Array(Uint32Array.of(i).buffer),
  )
  const chunks = keys.map((key) => map.lookup(key) ?? new Uint8Array())
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  for (let i = 0, at = 0; i < chunks.length; at += chunks[i]!.length, i++) bytes.set(chunks[i]!, at)
  return decodeHead(bytes, host)
}

/** The active slot, or `undefined` where the instance does not exist or has no generation yet. */
export function readActiveSlot(kernel: KernelPort, paths: InstancePaths, none: number): number | undefined {
  using active = kernel.openMap(paths.active)
  const value = active?.lookup(FIRST)
  if (!value) return undefined
  const slot = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  return slot === none ? undefined : slot
}

/** Every loaded generation, for `lb history`. */
export function listGenerations(
  kernel: KernelPort,
  host: HostPort,
  paths: InstancePaths,
  activeSlot: number | undefined,
): GenerationRecord[] {
  return generationFolders(kernel, paths)
    .filter((folder) => !folder.staged || folder.header?.slot === activeSlot)
    .map((folder) => ({
      number: folder.number,
      slot: folder.header?.slot ?? -1,
      active: folder.header !== undefined && folder.header.slot === activeSlot,
      provenance: readProvenance(kernel, host, folder),
    }))
}

function readProvenance(
  kernel: KernelPort,
  host: HostPort,
  folder: GenerationFolder,
): GenerationRecord['provenance'] {
  try {
    return readHead(kernel, host, folder).provenance
  } catch (error) {
    if (error instanceof LbError && error.code === 'state') return undefined
    throw error
  }
}
