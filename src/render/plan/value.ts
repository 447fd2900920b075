/** Values of attributes as text. */
import type { Json } from '../../engine/model/resource.ts'
import { ON_HOST } from '../../engine/model/resource.ts'
import { escapeText, quoteText } from '../text.ts'
import { isMap } from './attributes.ts'
import type { JsonMap } from './attributes.ts'

/** What `null` means, by attribute. */
const ABSENT: Readonly<Record<string, string>> = { 'listen.address': '(any)', weight: '(equal)' }

/** On one line. `name` says of which attribute. */
export function inlineValue(name: string, value: Json): string {
  if (value === null) return (Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined) ?? 'null'
  if (value === ON_HOST) return ON_HOST
  if (typeof value === 'string') return quoteText(value)
  if (isList(value)) return `[${value.map((item) => inlineValue(name, item)).join(', ')}]`
  if (isMap(value)) {
    const entries = Object.entries(value).map(([key, item]) => mapEntry(key, item))
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
  }
  return escapeText(String(value))
}

/** The one map of the model is from a target to its weight. */
export function mapEntry(key: string, value: Json): string {
  return `${quoteText(key)} = ${mapValue(value)}`
}

export function mapValue(value: Json): string {
  return inlineValue('weight', value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** Worth a line for each element. */
export function isLong(value: Json): value is readonly Json[] | JsonMap {
  if (isMap(value)) return Object.keys(value).length > 0
  return isList(value) && (value.length > 4 || inlineValue('', value).length > 60)
}
