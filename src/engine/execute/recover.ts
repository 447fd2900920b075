/** Cleans up behind a writer that was killed. Runs under the lock, before anything else is done. */
import { readConfirmation, servingNumber } from '../live/confirmation.ts'
import { generationFolders, readActiveSlot } from '../live/generations.ts'
import { isAttached, missingPin } from '../live/pins.ts'
import { SLOT_NONE } from '../live/read.ts'
import { detachOthers } from './attach.ts'
import { nameGeneration, neededLinks, removeGeneration } from './prune.ts'
import type { World } from './world.ts'

/** What was found and done, a phrase each. */
export function recover(world: World): string[] {
  const { kernel, paths } = world
  const names = kernel.fs.list(paths.root)
  if (names === undefined) return []
  if (!names.includes('active')) return sweepUnfinished(world)
  const done: string[] = []
  const slot = readActiveSlot(kernel, paths, SLOT_NONE)
  const finished = new Set<number | undefined>()
  for (const folder of generationFolders(kernel, paths)) {
    if (!folder.staged) finished.add(folder.header?.slot)
  }
  for (const folder of generationFolders(kernel, paths).filter(({ staged }) => staged)) {
    const { number, header } = folder
    if (slot !== undefined && header?.slot === slot && !finished.has(slot)) {
      nameGeneration(world, number)
      done.push(`finished generation ${number}, which was active already`)
    } else {
      const owned = header !== undefined && finished.has(header.slot)
      removeGeneration(world, owned ? { ...folder, header: undefined } : folder)
      done.push(`removed generation ${number}, which was never finished`)
    }
  }
  for (const folder of [paths.root, paths.programFolder]) {
    for (const name of kernel.fs.list(folder) ?? []) {
      if (name.endsWith('-next')) kernel.fs.remove(`${folder}/${name}`)
    }
  }
  dropConfirmation(world)
  const loose = detachLoose(world, slot)
  if (loose.length > 0) done.push(`detached ${loose.join(', ')}`)
  return done
}

/** Of a generation that does not serve: it may be gone, and its number come again. */
function dropConfirmation({ kernel, paths }: World): void {
  const confirmation = readConfirmation(kernel, paths)
  if (!confirmation) return
  const serving = servingNumber(kernel, paths)
  if (serving !== undefined && serving !== confirmation.generation) kernel.fs.remove(paths.confirm)
}

/**
 * Takes off what no generation needs, unless something that one needs is missing: then what is there may
 * stand in for it, until an apply has put it right.
 */
function detachLoose(world: World, slot: number | undefined): string[] {
  if (slot === undefined) return detachOthers(world, new Set())
  const needed = neededLinks(world, slot)
  const present = new Set(world.kernel.fs.list(world.paths.linkFolder) ?? [])
  return needed && [...needed].every((name) => present.has(name)) ? detachOthers(world, needed) : []
}

/** An instance without `active` never served: nothing of it is worth keeping. */
function sweepUnfinished({ kernel, paths }: World): string[] {
  const generations = kernel.fs.list(paths.generations) ?? []
  if (generations.length > 0 || isAttached(kernel, paths)) throw missingPin(paths.active)
  if ((kernel.fs.list(paths.root) ?? []).length === 0) return []
  for (const name of kernel.fs.list(paths.root) ?? []) kernel.fs.remove(paths.map(name))
  return ['removed an instance that was never finished']
}
