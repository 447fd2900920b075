/** YAML 1.2 with places: plain files by a fast reader, all others by way of the yaml package. */
import * as yaml from 'yaml'
import { type Entry, MAX_DEPTH, type Node, type Scalar, type Span } from './node.ts'
import { attempt, duplicateKey, fail, type Outcome, type SyntaxProblem } from './outcome.ts'
import { readPlainYaml } from './plain-yaml.ts'
import { wordYamlError, type YamlError } from './yaml-errors.ts'
import { parseTokens } from './yaml-tokens.ts'

/** Nodes that aliases may stand for, all taken together. */
const MAX_ALIASED = 1_000_000

export function readYaml(text: string): Outcome {
  return readPlainYaml(text) ?? readAnyYaml(text)
}

/** By the package alone. */
export function readAnyYaml(text: string): Outcome {
  return attempt((problems) => {
    const document = parse(text)
    const errors: readonly YamlError[] = document.errors
    if (errors[0] !== undefined) throw wordYamlError(errors[0])
    const { explicit, version } = document.directives.yaml
    if (explicit === true && version !== '1.2') {
      fail(
        firstLine(text),
        `The file asks for YAML ${version}`,
        'Only YAML 1.2 is read: remove the %YAML line.',
      )
    }
    if (document.contents === null) fail(firstLine(text), 'The file is empty', undefined, 'empty-file')
    const state: State = { problems, anchors: new Map(), sizes: new Map(), aliased: 0 }
    return convert(document.contents, state, 0)
  })
}

function parse(text: string): yaml.Document.Parsed {
  const composer = new yaml.Composer({ uniqueKeys: false })
  const documents = composer.compose(parseTokens(text), false, text.length)
  const first = documents.next()
  if (first.done === true) return fail(firstLine(text), 'The file is empty', undefined, 'empty-file')
  if (first.value.errors.length > 0) return first.value
  const second = documents.next()
  if (second.done === true) return first.value
  const [start] = second.value.range
  const hint = 'Put each document into a file of its own; several files can be given.'
  return fail({ start, end: start + 3 }, 'A second document starts here', hint, 'multiple-documents')
}

function firstLine(text: string): Span {
  const end = text.indexOf('\n')
  return { start: 0, end: end === -1 ? text.length : end }
}

interface State {
  readonly problems: SyntaxProblem[]
  readonly anchors: Map<string, Node | 'open'>
  /** Nodes below and including a node, aliases counted in full. Only of anchored nodes. */
  readonly sizes: Map<Node, number>
  aliased: number
}

function spanOf(node: yaml.Node): Span {
  const [start, end] = node.range ?? [0, 0]
  return { start, end }
}

function convert(node: yaml.Node, state: State, depth: number): Node {
  const span = spanOf(node)
  if (depth > MAX_DEPTH) fail(span, 'The nesting is too deep', undefined, 'too-deep')
  if (yaml.isAlias(node)) return resolveAlias(node, state)
  if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
    fail(span, `The tag \`${node.tag}\` has no place in a configuration`, 'Remove it.', 'unsupported-syntax')
  }
  const anchor = node.anchor
  if (anchor === undefined) return convertBare(node, span, state, depth)
  state.anchors.set(anchor, 'open')
  const result = convertBare(node, span, state, depth)
  state.anchors.set(anchor, result)
  return result
}

function convertBare(node: yaml.Node, span: Span, state: State, depth: number): Node {
  const { start } = span
  if (yaml.isMap(node)) {
    const entries = convertPairs(node.items, span, state, depth)
    return { kind: 'map', entries, start, end: endOf(node, span, entries.at(-1)?.value) }
  }
  if (yaml.isSeq(node)) {
    const items = node.items.map((item) => convertItem(item, span, state, depth))
    return { kind: 'list', items, start, end: endOf(node, span, items.at(-1)) }
  }
  return { kind: 'scalar', value: scalarOf(node, span), ...span }
}

/** A block ends with its last element; the package counts the comments after it, too. */
function endOf({ flow }: yaml.YAMLMap | yaml.YAMLSeq, { end }: Span, last: Node | undefined): number {
  return flow === true || last === undefined ? end : Math.min(last.end, end)
}

/** An item of a list. Only a list that a tag has made into something else has other things than nodes. */
function convertItem(item: unknown, span: Span, state: State, depth: number): Node {
  if (!yaml.isNode(item))
    return fail(span, 'This list has something else than values', undefined, 'unsupported-syntax')
  return convert(item, state, depth + 1)
}

function scalarOf(node: yaml.Node, span: Span): Scalar {
  const value: unknown = yaml.isScalar(node) ? node.value : undefined
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value
  }
  return fail(span, 'This is neither text nor a number nor a boolean', undefined, 'unsupported-syntax')
}

function convertPairs(pairs: readonly yaml.Pair[], span: Span, state: State, depth: number): Entry[] {
  const entries: Entry[] = []
  const seen = new Map<string, Span>()
  for (const { key: keyNode, value: valueNode } of pairs) {
    if (!yaml.isScalar(keyNode)) {
      return fail(
        yaml.isNode(keyNode) ? spanOf(keyNode) : span,
        'A key is text',
        undefined,
        'unsupported-syntax',
      )
    }
    const keySpan = spanOf(keyNode)
    const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? String(keyNode.value))
    const first = seen.get(key)
    if (first !== undefined) {
      state.problems.push(duplicateKey(key, keySpan, first))
      continue
    }
    seen.set(key, keySpan)
    entries.push({ key, ...keySpan, value: convertValue(valueNode, keySpan, state, depth) })
  }
  return entries
}

/** A key without a value has none of its own place: the end of the key serves. */
function convertValue(node: unknown, { end }: Span, state: State, depth: number): Node {
  if (!yaml.isNode(node)) return { kind: 'scalar', value: null, start: end, end }
  return convert(node, state, depth + 1)
}

function resolveAlias(alias: yaml.Alias, state: State): Node {
  const span = spanOf(alias)
  const node = state.anchors.get(alias.source)
  if (node === undefined) {
    return fail(
      span,
      `There is no anchor \`&${alias.source}\` before this alias`,
      undefined,
      'unsupported-syntax',
    )
  }
  if (node === 'open')
    return fail(span, 'This alias stands for a value that contains it', undefined, 'alias-expansion')
  state.aliased += sizeOf(node, state)
  if (state.aliased > MAX_ALIASED) {
    fail(span, 'Aliases repeat too much', 'Use fewer of them.', 'alias-expansion')
  }
  return node
}

/** Counted once for each anchored node, however often it is used: that bounds the work, too. */
function sizeOf(node: Node, state: State): number {
  let size = state.sizes.get(node)
  if (size === undefined) {
    if (node.kind === 'scalar') return 1
    const children = node.kind === 'list' ? node.items : node.entries.map(({ value }) => value)
    size = children.reduce((sum, child) => sum + sizeOf(child, state), 1)
    state.sizes.set(node, size)
  }
  return size
}
