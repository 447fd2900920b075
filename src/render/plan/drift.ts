/** Changes that something other than lb made to the live state. */
import { sameJson } from '../../engine/model/compare.ts'
import type { Drift } from '../../engine/model/plan.ts'
import type { Palette } from '../palette.ts'
import { escapeText } from '../text.ts'
import { attributeRows } from './attributes.ts'
import type { AttributeRow } from './attributes.ts'
import { paintSign } from './change.ts'
import { inlineValue } from './value.ts'

const FOUND = {
  create: ['+', 'added in'],
  update: ['~', 'changed in'],
  delete: ['-', 'missing from'],
} as const

/** The row and where it was found, then the attributes that are not as they were. */
export function renderDrift({ address, action, before, after, where }: Drift, palette: Palette): string[] {
  const [sign, found] = FOUND[action]
  const rows = attributeRows(address, before, after).filter((row) => !sameJson(row.before, row.after))
  const width = Math.max(0, ...rows.map(({ name }) => escapeText(name).length))
  return [
    `  ${paintSign(sign, palette)} ${palette.bold(escapeText(address))}: ${found} ${escapeText(where)}`,
    ...rows.map((row) => `        ${escapeText(row.name).padEnd(width)}  ${comparison(row)}`),
  ]
}

function comparison({ name, before, after }: AttributeRow): string {
  const was = before === undefined ? [] : [`was ${inlineValue(name, before)}`]
  const is = after === undefined ? [] : [`is ${inlineValue(name, after)}`]
  return [...was, ...is].join(', ')
}
