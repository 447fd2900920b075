/** The generations that are loaded. */
import type { GenerationRecord } from '../engine/model/live.ts'
import type { Palette } from './palette.ts'
import { alignColumns, escapeText } from './text.ts'

const HEADS = ['', 'GENERATION', 'APPLIED', 'BY', 'CHANGES', 'CONFIG', 'SOURCES']

/** A table in the order given, `*` on the generation that serves. Text without a final newline. */
export function renderHistory(records: readonly GenerationRecord[], palette: Palette): string {
  if (records.length === 0) return 'Nothing is applied.'
  const [head = '', ...lines] = alignColumns([HEADS, ...records.map(cells)])
  const rows = lines.map((line, i) => (records[i]?.active ? palette.green(line) : line))
  return [palette.bold(head), ...rows].join('\n')
}

function cells({ active, number, provenance }: GenerationRecord): string[] {
  const mark = active ? '*' : ''
  if (!provenance) return [mark, String(number), '(its manifest is missing or unreadable)']
  const { createdAt, user, summary, configHash, sources, cause } = provenance
  return [
    mark,
    String(number),
    escapeText(createdAt),
    cause === 'dns' ? `${escapeText(user)} (DNS)` : escapeText(user),
    `+${summary.create} ~${summary.update} -${summary.delete}`,
    escapeText(configHash.slice(0, 12)),
    sources.map(escapeText).join(', '),
  ]
}
