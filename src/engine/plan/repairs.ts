/** Putting drift right. */
import type { Change, Drift } from '../model/plan.ts'

/**
 * The changes that put drift right where no change of the configuration's resources does already,
 * and where the resource it belongs to stays.
 */
export function repairs(drift: readonly Drift[], changes: readonly Change[]): Change[] {
  const changed = new Map(changes.map((change) => [change.address, change.action]))
  const touched = changes.map(({ address }) => address)
  const repaired = drift.filter(({ address, where }) => {
    const owner = ownerOf(address)
    if (changed.has(address) || changed.get(owner) === 'delete') return false
    if (where === 'table selection') return true
    return !touched.some((other) => other === owner || (owner !== '' && other.startsWith(`${owner}.`)))
  })
  return repaired.map(reverse)
}

/** `proxy.web.target["x"]` → `proxy.web`: the resource that a row of a table is a detail of. */
function ownerOf(address: string): string {
  return /^(?:proxy|interface)(?:\.[A-Za-z0-9_-]+|\["(?:[^"\\]|\\.)*"\])/.exec(address)?.[0] ?? ''
}

function reverse({ action, address, before, after }: Drift): Change {
  if (action === 'create') return { action: 'delete', address, before: after, after: null }
  if (action === 'delete') return { action: 'create', address, before: null, after: before }
  return { action, address, before: after, after: before }
}
