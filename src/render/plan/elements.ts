/** Lists and maps element by element: what was added, what was removed, what has another value. */
import type { Json } from '../../engine/model/resource.ts'
import { sameJson } from '../../engine/model/compare.ts'
import { compareText } from '../../engine/model/order.ts'
import { quoteText } from '../text.ts'
import type { JsonMap } from './attributes.ts'
import { isMap } from './attributes.ts'
import { inlineValue, isList, mapEntry, mapValue } from './value.ts'

export type Sign = '+' | '-' | '~'

export interface Element {
  readonly sign: Sign
  readonly text: string
  /** The new value, where there is an old one too. */
  readonly becomes?: string
}

export interface Elements {
  readonly open: '[' | '{'
  readonly close: ']' | '}'
  readonly elements: readonly Element[]
  readonly unchanged: number
}

/** All elements of a list or map that comes or goes as a whole. */
export function wholeElements(sign: Sign, value: readonly Json[] | JsonMap): Elements {
  if (isList(value)) {
    return list(
      value.map((item) => ({ sign, text: inlineValue('', item) })),
      0,
    )
  }
  const entries = Object.entries(value).sort(([a], [b]) => compareText(a, b))
  return map(
    entries.map(([key, item]) => ({ sign, text: mapEntry(key, item) })),
    0,
  )
}

/** What differs; `undefined` where nothing does but the order, or the two cannot be compared so. */
export function differingElements(before: Json, after: Json): Elements | undefined {
  if (isList(before) && isList(after)) return listDifference(before, after)
  return isMap(before) && isMap(after) ? mapDifference(before, after) : undefined
}

function listDifference(before: readonly Json[], after: readonly Json[]): Elements | undefined {
  const left = new Set(before.map((item) => JSON.stringify(item)))
  const right = new Set(after.map((item) => JSON.stringify(item)))
  const removed = before.filter((item) => !right.has(JSON.stringify(item)))
  const added = after.filter((item) => !left.has(JSON.stringify(item)))
  if (removed.length + added.length === 0) return undefined
  const elements = [
    ...removed.map((item): Element => ({ sign: '-', text: inlineValue('', item) })),
    ...added.map((item): Element => ({ sign: '+', text: inlineValue('', item) })),
  ]
  return list(elements, after.length - added.length)
}

function mapDifference(before: JsonMap, after: JsonMap): Elements {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText)
  const elements: Element[] = []
  for (const key of keys) {
    const was = Object.hasOwn(before, key) ? before[key] : undefined
    const is = Object.hasOwn(after, key) ? after[key] : undefined
    if (was === undefined) elements.push({ sign: '+', text: mapEntry(key, is!) })
    else if (is === undefined) elements.push({ sign: '-', text: mapEntry(key, was) })
    else if (!sameJson(was, is)) {
      elements.push({ sign: '~', text: `${quoteText(key)} = ${mapValue(was)}`, becomes: mapValue(is) })
    }
  }
  return map(elements, keys.length - elements.length)
}

const list = (elements: readonly Element[], unchanged: number): Elements => ({
  open: '[',
  close: ']',
  elements,
  unchanged,
})

const map = (elements: readonly Element[], unchanged: number): Elements => ({
  open: '{',
  close: '}',
  elements,
  unchanged,
})
