import type { GenerationRecord } from '../model/live.ts'

/**
 * Whether a configuration was applied before and somebody moved on from it: another generation serves,
 * by a rollback or by an apply that is newer than the files. A daemon that starts leaves it at that.
 * @param editedAt when the files were last written, in ms since 1970
 */
export function wasAppliedBefore(
  history: readonly GenerationRecord[],
  configHash: string,
  editedAt: number,
): boolean {
  const active = history.find((record) => record.active)
  if (!active?.provenance || active.provenance.configHash === configHash) return false
  const same = history.filter(({ provenance }) => provenance?.configHash === configHash)
  if (same.length === 0) return false
  if (same.some(({ number }) => number > active.number)) return true
  // Times of generations are whole seconds.
  return Date.parse(active.provenance.createdAt) + 1000 > editedAt
}
