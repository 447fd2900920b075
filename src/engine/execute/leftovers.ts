/** Whether a writer that was killed left something to clean up: a look, with no lock. */
import { parseGenerationFolder } from '../model/paths.ts'
import type { World } from './world.ts'

export function hasLeftovers({ kernel, paths }: World): boolean {
  const pinned = kernel.fs.list(paths.root) ?? []
  const generations = kernel.fs.list(paths.generations) ?? []
  const programs = kernel.fs.list(paths.programFolder) ?? []
  return (
    (pinned.length > 0 && !pinned.includes('active')) ||
    generations.some((name) => parseGenerationFolder(name)?.staged) ||
    [...pinned, ...programs].some((name) => name.endsWith('-next'))
  )
}
