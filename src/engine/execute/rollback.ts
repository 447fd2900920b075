/** Back, or forth, to a generation that is still loaded. */
import { generationFolders } from '../live/generations.ts'
import { readLive } from '../live/read.ts'
import { LbError } from '../model/errors.ts'
import type { LiveState } from '../model/live.ts'
import { endConfirmation } from './confirm.ts'
import { goTo } from './go-back.ts'
import type { RollbackResult } from './go-back.ts'
import { recover } from './recover.ts'
import { tidyUp } from './restore.ts'
import type { OnStep, World } from './world.ts'

export type { RollbackResult } from './go-back.ts'

/**
 * Runs under the lock. `to` is a generation's number; without it, the one that served before the active one. A
 * confirmation that is waited for is settled by it.
 */
export function rollback(world: World, to: number | undefined, onStep: OnStep): RollbackResult {
  const { kernel, host, instance, paths } = world
  for (const done of recover(world)) onStep('recover', done)
  const before = readLive(kernel, host, instance, paths)
  const result = goTo(world, before, chooseGeneration(world, before.live, to), onStep)
  // It was of another generation than the one that serves now: nobody acts on it any more.
  tidyUp(onStep, () => {
    endConfirmation(world)
    return undefined
  })
  return result
}

function chooseGeneration({ kernel, paths }: World, live: LiveState, to: number | undefined): number {
  const folders = generationFolders(kernel, paths).filter(({ staged }) => !staged)
  const loaded = folders.map(({ number }) => number).join(', ')
  const replaced = folders.find(({ number }) => number === live.generation)?.header?.replaced
  const number = to ?? replaced ?? 0
  if (!folders.some((folder) => folder.number === number)) {
    if (live.generation === 0) throw new LbError('input', `nothing is applied on instance ${live.instance}`)
    const what = number === 0 ? 'nothing served before it' : `generation ${number} is no longer loaded`
    throw new LbError('input', `cannot go back from generation ${live.generation}: ${what}`, {
      hint: `loaded: ${loaded}; \`lb history\` lists them, --to names one`,
    })
  }
  if (number === live.generation) throw new LbError('input', `generation ${number} serves already`)
  return number
}
