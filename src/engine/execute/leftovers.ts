/** Whether a writer that was killed left something to clean up: a look, with no lock. */
import { readConfirmation, servingNumber } from '../live/confirmation.ts'
import { parseGenerationFolder } from '../model/paths.ts'
import type { World } from './world.ts'

export function hasLeftovers(world: World): boolean {
  const { kernel, paths } = world
  const pinned = kernel.fs.list(paths.root) ?? []
  const generations = kernel.fs.list(paths.generations) ?? []
  const programs = kernel.fs.list(paths.programFolder) ?? []
  return (
    (pinned.length > 0 && !pinned.includes('active')) ||
    generations.some((name) => parseGenerationFolder(name)?.staged) ||
    [...pinned, ...programs].some((name) => name.endsWith('-next')) ||
    (pinned.includes('confirm') && isVoid(world))
  )
}

/** A confirmation that is waited for, of a generation that does not serve. */
function isVoid({ kernel, paths }: World): boolean {
  const confirmation = readConfirmation(kernel, paths)
  return confirmation !== undefined && servingNumber(kernel, paths) !== confirmation.generation
}
