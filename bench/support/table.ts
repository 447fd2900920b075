import { isMet, type Column, type Goal, type Outcome, type Section } from './report.ts'
import { summarise } from './stats.ts'

/** Tables for a person: medians, and in brackets the least and the greatest of all rounds. */
export function renderOutcome({ sections, goals }: Outcome): string {
  const parts = sections.map(renderSection)
  if (goals.length > 0) parts.push(renderGoals(goals))
  return parts.join('\n')
}

function renderSection({ title, notes, labels, columns, rows }: Section): string {
  const head = [...labels, ...columns.map(({ title, unit }) => `${title}, ${unit}`)]
  const body = rows.map((row) => [
    ...row.labels,
    ...columns.map((column, i) => renderSamples(row.cells[i] ?? [], column)),
  ])
  return [title, ...notes.map((note) => `  ${note}`), ...grid([head, ...body], labels.length), ''].join('\n')
}

function renderSamples(samples: readonly number[], { digits = 0 }: Column): string {
  if (samples.length === 0) return '-'
  const { median, min, max } = summarise(samples)
  return `${format(median, digits)} (${format(min, digits)}–${format(max, digits)})`
}

function renderGoals(goals: readonly Goal[]): string {
  const body = goals.map((goal) => {
    const digits = goal.limit < 10 ? 2 : 0
    return [
      goal.what,
      `${goal.kind} ${format(goal.limit, digits)} ${goal.unit}`,
      `${format(goal.measured, digits)} ${goal.unit}`,
      isMet(goal) ? 'met' : 'MISSED',
    ]
  })
  return ['Goals', ...grid([['what', 'goal', 'measured', ''], ...body], 1), ''].join('\n')
}

/** The first `left` columns are words, the others numbers. */
function grid(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    `  ${row.map((text, i) => (i < left ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ')}`
  return [
    line(rows[0]!),
    `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`,
    ...rows.slice(1).map(line),
  ]
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
