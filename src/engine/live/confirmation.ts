/** The generation that is to be confirmed, as pinned. */
import { CONFIRM_SIZE, decodeConfirmation } from '../abi/confirm.ts'
import type { Confirmation } from '../model/confirmation.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { KernelPort } from '../ports/kernel.ts'
import { generationFolders, readActiveSlot } from './generations.ts'
import { SLOT_NONE } from './read.ts'

const FIRST = new Uint8Array(4)

/** What is pinned, whichever generation serves. */
export function readConfirmation(kernel: KernelPort, paths: InstancePaths): Confirmation | undefined {
  using map = kernel.openMap(paths.confirm)
  const value = map?.info.valueSize === CONFIRM_SIZE ? map.lookup(FIRST) : undefined
  return value && decodeConfirmation(value)
}

/** Only where the generation that serves is the one that it names. */
export function confirmationOfServing(kernel: KernelPort, paths: InstancePaths): Confirmation | undefined {
  const found = readConfirmation(kernel, paths)
  return found && servingNumber(kernel, paths) === found.generation ? found : undefined
}

/** 0: none. `undefined` where no generation owns the active slot. */
export function servingNumber(kernel: KernelPort, paths: InstancePaths): number | undefined {
  const slot = readActiveSlot(kernel, paths, SLOT_NONE)
  if (slot === undefined) return 0
  return generationFolders(kernel, paths).find(({ header }) => header?.slot === slot)?.number
}
