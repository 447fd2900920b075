import { removeLab } from '../../test/support/lab/cleanup.ts'
import { testNames, type LabNames } from '../../test/support/lab/names.ts'
import { createLab, type Lab } from '../../test/support/netns.ts'
import { type Shape } from '../../test/support/lab/topology.ts'

const made: LabNames[] = []

/** A lab that is removed with its scope, and by `removeLabs`. */
export function benchLab(shape: Shape): Promise<Lab> {
  const names = testNames()
  made.push(names)
  return createLab(shape, names)
}

/** The name of one more instance of lb in a lab. `removeLabs` removes it. */
export function benchInstance(lab: Lab, name: string): string {
  const instance = `${lab.instance}-${name}`
  // No namespace and no folder has this prefix: there is only the instance to remove.
  made.push({ namespacePrefix: `${instance}-`, instance })
  return instance
}

/** Removes every lab and instance of this process, whoever still uses it. */
export async function removeLabs(): Promise<void> {
  for (const names of made.splice(0).reverse()) await removeLab(names)
}
