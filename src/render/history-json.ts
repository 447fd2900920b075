/** The document of `lb history --json`. */
import type { GenerationRecord } from '../engine/model/live.ts'

export interface HistoryDocument {
  readonly formatVersion: 1
  readonly instance: string
  readonly generations: readonly {
    readonly number: number
    readonly active: boolean
    readonly slot: number
    /** `null` where its manifest is missing or unreadable. */
    readonly provenance: Omit<NonNullable<GenerationRecord['provenance']>, 'number' | 'slot'> | null
  }[]
}

export function historyJson(instance: string, records: readonly GenerationRecord[]): HistoryDocument {
  return {
    formatVersion: 1,
    instance,
    generations: records.map(({ number, active, slot, provenance }) => {
      if (!provenance) return { number, active, slot, provenance: null }
      const { number: _, slot: __, ...rest } = provenance
      return { number, active, slot, provenance: rest }
    }),
  }
}
