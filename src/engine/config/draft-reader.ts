/** Values of one file as far as they are right: what the schema has refused is as good as absent. */
import type { Problem } from '../model/problem.ts'
import type { RuleId } from '../model/rules.ts'
import type { Parsed } from './parsed.ts'
import type { Located, NumberNode, TextNode } from './draft.ts'
import type { SchemaOutcome } from './schema-check.ts'
import { type ParsedSource, problemAt } from './source.ts'
import { entryOf, type MapNode, type Node } from './syntax/node.ts'

export interface Reader {
  readonly source: ParsedSource
  readonly schema: SchemaOutcome
  readonly problems: Problem[]
}

export function member(
  { schema: { invalid } }: Reader,
  map: MapNode | undefined,
  key: string,
): Node | undefined {
  const value = map && entryOf(map, key)?.value
  return value !== undefined && !invalid.has(value) ? value : undefined
}

/** Whether a key was given, if perhaps with a wrong value or a typing mistake. */
export function isGiven({ schema }: Reader, map: MapNode, key: string): boolean {
  return entryOf(map, key) !== undefined || schema.misspelt.get(map)?.has(key) === true
}

export function asMap({ schema: { invalid } }: Reader, node: Node | undefined): MapNode | undefined {
  return node?.kind === 'map' && !invalid.has(node) ? node : undefined
}

export function mapsIn(reader: Reader, node: Node | undefined): MapNode[] {
  if (node?.kind !== 'list') return []
  return node.items.filter((item): item is MapNode => asMap(reader, item) !== undefined)
}

export function isText(node: Node | undefined): node is TextNode {
  return node?.kind === 'scalar' && typeof node.value === 'string'
}

export function text(reader: Reader, map: MapNode | undefined, key: string): TextNode | undefined {
  const node = member(reader, map, key)
  return isText(node) ? node : undefined
}

export function number(reader: Reader, map: MapNode, key: string): NumberNode | undefined {
  const node = member(reader, map, key)
  return node?.kind === 'scalar' && typeof node.value === 'number' ? (node as NumberNode) : undefined
}

/** A value with fixed choices; the schema has seen to it that it is one of them. */
export function choice<T extends string>(
  reader: Reader,
  map: MapNode,
  key: string,
  otherwise: T,
): T | undefined {
  if (!isGiven(reader, map, key)) return otherwise
  return text(reader, map, key)?.value as T | undefined
}

export function located<T>(
  reader: Reader,
  node: TextNode | undefined,
  rule: RuleId,
  read: (text: string) => Parsed<T>,
): Located<T> | undefined {
  if (node === undefined) return undefined
  const parsed = read(node.value)
  if ('value' in parsed) return { node, value: parsed.value }
  const { message, hint } = parsed.fault
  reader.problems.push(problemAt({ source: reader.source, span: node }, rule, message, { hint }))
  return undefined
}
