import type { Change } from '../model/plan.ts'

/**
 * Whether changes are only those of interfaces that went away and came back as others: what the host did,
 * and nobody meant.
 */
export function hasHostOnly(changes: readonly Change[]): boolean {
  return changes.length > 0 && changes.every(isReturnOfInterface)
}

function isReturnOfInterface({ action, address, before, after }: Change): boolean {
  if (action !== 'update' || !/^interface[.[]/.test(address)) return false
  return before['ifindex'] !== after['ifindex'] && before['attach'] === after['attach']
}
