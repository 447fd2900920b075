/** Which generations stay loaded, and taking the others down without ever leaving a half one behind. */
import { generationFolders, readHead } from '../live/generations.ts'
import type { GenerationFolder } from '../live/generations.ts'
import type { ManifestHead } from '../live/manifest.ts'
import { OUTER_TABLES } from '../live/pins.ts'
import { LbError } from '../model/errors.ts'
import type { Attachment } from '../model/snapshot.ts'
import { detachOthers, linkNames } from './attach.ts'
import { emptyRows } from './inners.ts'
import type { World } from './world.ts'

/** Generations that stay loaded unless `--keep` says otherwise. */
export const DEFAULT_KEEP = 8

/**
 * `keep` generations stay: the active one, the one it replaced, then the newest that somebody wanted, and last
 * those that names with other addresses led to. Returns those that went.
 */
export function prune(world: World, activeSlot: number, keep: number): number[] {
  const folders = generationFolders(world.kernel, world.paths)
  const active = folders.find(({ header }) => header?.slot === activeSlot)
  const rankOf = (folder: GenerationFolder): number => {
    if (folder.number === active?.number) return 3
    if (folder.number === active?.header?.replaced) return 2
    return folders.length > keep && isByNames(world, folder) ? 0 : 1
  }
  const ranks = new Map(folders.map((folder) => [folder, rankOf(folder)]))
  const ranked = [...folders].sort((a, b) => ranks.get(b)! - ranks.get(a)! || b.number - a.number)
  const old = ranked.slice(keep).reverse()
  for (const folder of old) removeGeneration(world, folder)
  detachUnneeded(world, activeSlot)
  return old.map(({ number }) => number)
}

/** Takes off every program that no loaded generation needs. Returns the names of their pins. */
export function detachUnneeded(world: World, activeSlot: number): string[] {
  const needed = neededLinks(world, activeSlot)
  return needed ? detachOthers(world, needed) : []
}

/** Gives a generation that serves its final name, between two changes of what is known of its targets. */
export function nameGeneration({ kernel, paths }: World, number: number): void {
  using _lock = kernel.lock(paths.generations)
  kernel.fs.rename(paths.staged(number), paths.generation(number))
}

/**
 * First a name that says it is no longer one, then the slot, then the maps: killed in between, it is
 * swept away by the next command.
 */
export function removeGeneration(world: World, folder: GenerationFolder): void {
  const { kernel, paths } = world
  const leaving = paths.staged(folder.number)
  if (!folder.staged) kernel.fs.rename(folder.path, leaving)
  if (folder.header) clearSlot(world, folder.header.slot)
  kernel.fs.remove(leaving)
}

function clearSlot({ kernel, paths }: World, slot: number): void {
  emptyRows(
    kernel,
    OUTER_TABLES.map((name) => ({ outer: paths.outer(name), index: slot })),
  )
}

/**
 * Pins under link/ to keep: the hooks of the active generation, and those of interfaces that only
 * older loaded generations know, so that their connections go on and going back is one flip.
 * `undefined` where the active generation cannot tell: then everything that is attached may be its.
 */
export function neededLinks(world: World, activeSlot: number): Set<string> | undefined {
  const needed = new Map<string, Attachment>()
  const folders = generationFolders(world.kernel, world.paths)
  const active = folders.find(({ header }) => header?.slot === activeSlot)
  const ofActive = active && attachmentsOf(world, active)
  if (!ofActive) return undefined
  const ofOthers = folders.filter((folder) => folder !== active).flatMap((f) => attachmentsOf(world, f) ?? [])
  for (const attachment of [...ofOthers, ...ofActive]) needed.set(attachment.name, attachment)
  return linkNames([...needed.values()])
}

function isByNames(world: World, folder: GenerationFolder): boolean {
  return headOf(world, folder)?.provenance.cause === 'dns'
}

function attachmentsOf(world: World, folder: GenerationFolder): readonly Attachment[] | undefined {
  return headOf(world, folder)?.attachments
}

function headOf({ kernel, host }: World, folder: GenerationFolder): ManifestHead | undefined {
  try {
    return readHead(kernel, host, folder)
  } catch (error) {
    if (error instanceof LbError && error.code === 'state') return undefined
    throw error
  }
}
