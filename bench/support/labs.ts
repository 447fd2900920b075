import { removeLab } from '../../test/support/lab/cleanup.ts'
import { testNames, type LabNames } from '../../test/support/lab/names.ts'
import { createLab, type Lab } from '../../test/support/netns.ts'
import { type Shape } from '../../test/support/lab/topology.ts'

const made: LabNames[] = []

/** A lab that is removed with its scope, and also when the benchmark is interrupted. */
export function benchLab(shape: Shape): Promise<Lab> {
  const names = testNames()
  made.push(names)
  return createLab(shape, names)
}

/** Removes every lab of this process, whoever still uses it. */
export async function removeLabs(): Promise<void> {
  for (const names of made) await removeLab(names)
}
