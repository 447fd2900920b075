/** A plan for people to read: what changed behind lb's back, then what lb would do. */
import { hasChanges } from '../engine/model/plan.ts'
import type { Change, Plan } from '../engine/model/plan.ts'
import type { Palette } from './palette.ts'
import { wrapText } from './text.ts'
import { renderChange } from './plan/change.ts'
import { renderDrift } from './plan/drift.ts'

export interface PlanOptions {
  readonly palette: Palette
  /** Columns for running text. Blocks are never wrapped. */
  readonly width?: number
}

const DEFAULT_WIDTH = 80

/** Resources that each section shows. */
export const MAX_SHOWN = 200

/** Text without a final newline. */
export function renderPlan(plan: Plan, { palette, width = DEFAULT_WIDTH }: PlanOptions): string {
  return [
    ...driftSection(plan, palette, width),
    ...changesSection(plan, palette),
    summary(plan, palette),
  ].join('\n')
}

/** Changes that were carried out. Text without a final newline. */
export function renderChanges(changes: readonly Change[], { palette }: PlanOptions): string {
  if (changes.length === 0) return 'No changes.'
  const blocks = changes
    .slice(0, MAX_SHOWN)
    .map((change) => renderChange(change, { tense: 'past', drifted: false, palette }).join('\n'))
  return [...blocks, ...more(changes.length).slice(0, 1)].join('\n\n')
}

function driftSection({ drift }: Plan, palette: Palette, width: number): string[] {
  if (drift.length === 0) return []
  const sentence =
    'The live state is not what the last apply made of it: something other than lb changed it. ' +
    'Applying this plan puts it right.'
  return [
    palette.bold('Changes outside of lb'),
    '',
    ...wrapText(sentence, width),
    '',
    ...drift.slice(0, MAX_SHOWN).flatMap((row) => [...renderDrift(row, palette), '']),
    ...more(drift.length),
    palette.dim('─'.repeat(Math.min(width, DEFAULT_WIDTH))),
    '',
  ]
}

function changesSection(plan: Plan, palette: Palette): string[] {
  const { changes, drift, unchanged } = plan
  if (changes.length === 0) return []
  const drifted = new Set(drift.map(({ address }) => address))
  return [
    'lb will perform the following actions:',
    '',
    ...changes.slice(0, MAX_SHOWN).flatMap((change) => {
      const options = { tense: 'future', drifted: drifted.has(change.address), palette } as const
      return [...renderChange(change, options), '']
    }),
    ...more(changes.length),
    ...(unchanged > 0 ? [palette.dim(`  ${hiddenCount(plan)}`), ''] : []),
  ]
}

function more(count: number): string[] {
  return count <= MAX_SHOWN ? [] : [`  … and ${count - MAX_SHOWN} more (use --json for all of them)`, '']
}

function summary(plan: Plan, palette: Palette): string {
  const { create, update, delete: destroy } = plan.summary
  if (hasChanges(plan)) {
    return `${palette.bold('Plan:')} ${create} to add, ${update} to change, ${destroy} to destroy.`
  }
  const hidden = plan.unchanged > 0 ? ` ${palette.dim(hiddenCount(plan))}` : ''
  return `${palette.bold(palette.green('No changes.'))} The live state matches the configuration.${hidden}`
}

function hiddenCount({ unchanged }: Plan): string {
  return `(${unchanged} unchanged hidden)`
}
