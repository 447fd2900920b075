/** One change as a block, in the manner of `terraform plan`. */
import { sameJson } from '../../engine/model/compare.ts'
import type { Change } from '../../engine/model/plan.ts'
import type { Json } from '../../engine/model/resource.ts'
import { spellOut } from '../../engine/model/target-attributes.ts'
import type { Palette } from '../palette.ts'
import { counted, escapeText } from '../text.ts'
import { blockHead, settingName } from './address.ts'
import { attributeRows } from './attributes.ts'
import type { AttributeRow } from './attributes.ts'
import { differingElements, wholeElements } from './elements.ts'
import type { Elements, Sign } from './elements.ts'
import { inlineValue, isLong } from './value.ts'

/** Elements of one list or map that are shown. */
const MAX_ELEMENTS = 100

const SIGNS = { create: '+', update: '~', delete: '-' } as const

/** A sign in its colour. */
export function paintSign(sign: Sign, palette: Palette): string {
  return sign === '+' ? palette.green(sign) : sign === '-' ? palette.red(sign) : palette.yellow(sign)
}

export interface ChangeOptions {
  /** Whether it is yet to be carried out. */
  readonly tense: 'future' | 'past'
  /** The same address is listed under the changes outside of lb. */
  readonly drifted: boolean
  readonly palette: Palette
}

export function renderChange(change: Change, { tense, drifted, palette }: ChangeOptions): string[] {
  const sign = SIGNS[change.action]
  const head = settingName(change.address) === undefined ? blockHead(change.address) : 'settings'
  const [before, after] =
    change.action === 'update' ? spellOut(change.before, change.after) : [change.before, change.after]
  const rows = attributeRows(change.address, before, after)
  return [
    palette.bold(
      `  # ${escapeText(change.address)} ${tense === 'future' ? 'will be' : 'was'} ${outcome(change)}`,
    ),
    ...(drifted ? [`  # (drifted: see above)`] : []),
    `  ${paintSign(sign, palette)} ${head} {`,
    ...renderRows(rows, palette),
    '    }',
  ]
}

function outcome({ address, action, before, after }: Change): string {
  if (address === 'program') return action === 'update' ? 'upgraded in place' : OUTCOME[action]
  // An interface is the host's: it is the programs on it that come and go.
  const attributes = after ?? before
  const programs = /^interface[.[]/.test(address) && attributes['mode'] !== 'none'
  return (programs ? INTERFACE_OUTCOME : OUTCOME)[action]
}

const OUTCOME = {
  create: 'created',
  update: 'updated in-place',
  delete: 'destroyed',
} as const

const INTERFACE_OUTCOME = {
  create: 'attached',
  update: 'updated in-place',
  delete: 'detached',
} as const

function renderRows(rows: readonly AttributeRow[], palette: Palette): string[] {
  const shown = rows.filter(({ before, after }) => !sameJson(before, after))
  const hidden = rows.length - shown.length
  const width = Math.max(0, ...shown.map(({ name }) => escapeText(name).length))
  return [
    ...shown.flatMap((row) => renderRow(row, width, palette)),
    ...(hidden === 0 ? [] : [palette.dim(`        # (${counted(hidden, 'unchanged attribute')} hidden)`)]),
  ]
}

function renderRow({ name, before, after }: AttributeRow, width: number, palette: Palette): string[] {
  const start = (sign: Sign): string =>
    `      ${paintSign(sign, palette)} ${escapeText(name).padEnd(width)} = `
  if (before !== undefined && after !== undefined) {
    const elements = differingElements(before, after)
    if (elements) return renderElements(start('~'), elements, palette)
    return [`${start('~')}${inlineValue(name, before)} ${palette.yellow('->')} ${inlineValue(name, after)}`]
  }
  const sign = before === undefined ? '+' : '-'
  const value: Json = before ?? after ?? null
  if (isLong(value)) return renderElements(start(sign), wholeElements(sign, value), palette)
  return [`${start(sign)}${inlineValue(name, value)}`]
}

function renderElements(
  start: string,
  { open, close, elements, unchanged }: Elements,
  palette: Palette,
): string[] {
  const end = open === '[' ? ',' : ''
  const lines = elements.slice(0, MAX_ELEMENTS).map(({ sign, text, becomes }) => {
    const arrow = becomes === undefined ? '' : ` ${palette.yellow('->')} ${becomes}`
    return `          ${paintSign(sign, palette)} ${text}${arrow}${end}`
  })
  const more = elements.length - lines.length
  if (more > 0) lines.push(`            # … and ${more} more (use --json for all of them)`)
  if (unchanged > 0) {
    lines.push(palette.dim(`            # (${counted(unchanged, 'unchanged element')} hidden)`))
  }
  return [`${start}${open}`, ...lines, `        ${close}`]
}
