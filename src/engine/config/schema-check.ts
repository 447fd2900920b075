/** Checks one file against the schema and words what is wrong. */
import type { Problem } from '../model/problem.ts'
import { type Extras, type ParsedSource, problemAt, spell } from './source.ts'
import { suggest } from './suggest.ts'
import { entryOf, type MapNode, type Node, nodeAt, type Span, toValue } from './syntax/node.ts'
import { type SchemaError, validate } from './validator.generated.js'
import { wordKey, wordValue } from './wording.ts'

export interface SchemaOutcome {
  readonly problems: readonly Problem[]
  /** Nodes whose value is wrong. Later checks pass over them: one mistake, one message. */
  readonly invalid: ReadonlySet<Node>
  /** Keys that are there with a typing mistake, by map. They do not count as absent. */
  readonly misspelt: ReadonlyMap<Node, ReadonlySet<string>>
}

/** All that the schema finds. */
export function checkSchema(source: ParsedSource): SchemaOutcome {
  if (validate(toValue(source.root))) return { problems: [], invalid: new Set(), misspelt: new Map() }
  const errors = withoutForbidden(validate.errors ?? []).map((error) => locateError(source, error))
  const misspelt = findMisspelt(errors)
  const invalid = new Set<Node>()
  const problems: Problem[] = []
  for (const located of errors) {
    const problem = describe(source, located, misspelt, invalid)
    if (problem !== undefined) problems.push(problem)
  }
  return { problems, invalid, misspelt }
}

/** What is wrong inside a value that should not be there does not matter. */
function withoutForbidden(errors: readonly SchemaError[]): readonly SchemaError[] {
  const forbidden = new Set(
    errors.flatMap((error) => (error.keyword === 'false schema' ? [error.instancePath] : [])),
  )
  if (forbidden.size === 0) return errors
  return errors.filter(
    ({ keyword, instancePath }) =>
      keyword === 'false schema' || !ancestors(instancePath).some((path) => forbidden.has(path)),
  )
}

function ancestors(path: string): string[] {
  const steps = path.split('/')
  return steps.map((_, i) => steps.slice(0, i + 1).join('/'))
}

interface Located {
  readonly error: SchemaError
  readonly path: readonly string[]
  readonly node: Node
}

function locateError({ root }: ParsedSource, error: SchemaError): Located {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer)
  const node = nodeAt(root, path)
  if (node === undefined) throw new Error(`no node at ${error.instancePath}`)
  return { error, path, node }
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** For each map with unknown keys: the known keys that these were probably meant to be. */
function findMisspelt(errors: readonly Located[]): ReadonlyMap<Node, ReadonlySet<string>> {
  const found = new Map<Node, Set<string>>()
  for (const { error, node } of errors) {
    if (error.keyword !== 'additionalProperties') continue
    const meant = suggestKey(error, node)
    if (meant === undefined) continue
    const keys = found.get(node)
    if (keys === undefined) found.set(node, new Set([meant]))
    else keys.add(meant)
  }
  return found
}

function knownKeys({ parentSchema }: SchemaError): readonly string[] {
  return Object.keys(parentSchema['properties'] ?? {})
}

/** The key that is missing here and was probably meant. */
function suggestKey(error: SchemaError, node: Node): string | undefined {
  const absent = knownKeys(error).filter((key) => node.kind === 'map' && entryOf(node, key) === undefined)
  return suggest(String(error.params['additionalProperty']), absent)
}

function describe(
  source: ParsedSource,
  { error, path, node }: Located,
  misspelt: ReadonlyMap<Node, ReadonlySet<string>>,
  invalid: Set<Node>,
): Problem | undefined {
  switch (error.keyword) {
    case 'if':
    case 'propertyNames':
      // Said by the errors that caused it.
      return undefined
    case 'additionalProperties':
      return unknownKey(source, error, node as MapNode)
    case 'required': {
      const key = String(error.params['missingProperty'])
      if (alternatives(key).some((one) => misspelt.get(node)?.has(one) === true)) return undefined
      return missingKey(source, error, node, key)
    }
    default: {
      if (error.propertyName !== undefined) return wrongKey(source, error, node as MapNode)
      if (invalid.has(node)) return undefined
      invalid.add(node)
      if (lacksName(source, error, path)) return undefined
      const { rule, message, hint } = wordValue(source, error, path, node)
      return problemAt({ source, span: node }, rule, message, { hint })
    }
  }
}

/** Without an address either, what is wrong with a target is that it has no name. */
function lacksName({ root }: ParsedSource, { keyword }: SchemaError, path: readonly string[]): boolean {
  if (keyword !== 'false schema' || path.at(-1) !== 'dnsRefreshSeconds') return false
  const target = nodeAt(root, path.slice(0, -1))
  return target?.kind === 'map' && entryOf(target, 'ip') === undefined
}

/** Known keys that are listed where a key is unknown and looks like none of them. */
const MAX_KEYS = 8

function unknownKey(source: ParsedSource, error: SchemaError, node: MapNode): Problem {
  const key = String(error.params['additionalProperty'])
  const span: Span = entryOf(node, key) ?? node
  const known = knownKeys(error).filter((name) => !name.startsWith('$'))
  const meant = suggestKey(error, node)
  const some = known.slice(0, MAX_KEYS).map((name) => `\`${spell(source, name)}\``)
  const list = `${some.join(', ')}${known.length > MAX_KEYS ? ` and ${known.length - MAX_KEYS} more` : ''}`
  const hint =
    meant === undefined ? `The keys here are ${list}.` : `Did you mean \`${spell(source, meant)}\`?`
  const label = source.format === 'edn' && !key.startsWith(':') ? spell(source, key) : key
  return problemAt({ source, span }, 'unknown-key', `Unknown key \`${label}\``, { hint })
}

/** The keys of which one is missing: the condition of a source route or target says the one that is asked for otherwise. */
function alternatives(key: string): readonly string[] {
  return key === 'target' ? ['target', 'targets'] : key === 'ip' ? ['ip', 'host'] : [key]
}

function missingKey(source: ParsedSource, error: SchemaError, node: Node, key: string): Problem {
  const names = alternatives(key)
    .map((name) => `\`${spell(source, name)}\``)
    .join(' or ')
  const extras: Extras = key === 'target' ? {} : { hint: wordKey(source, key) }
  const owner = nameOf(node) ?? `This ${titleOf(error, key).toLowerCase()}`
  return problemAt({ source, span: node }, 'missing-key', `${owner} has no ${names}`, extras)
}

/** What kind of thing lacks a key. A condition has no title of its own. */
function titleOf({ parentSchema: { title } }: SchemaError, key: string): string {
  return typeof title === 'string' ? title : key === 'ip' ? 'target' : 'source route'
}

/** A proxy is told by its name. */
function nameOf(node: Node): string | undefined {
  const name = node.kind === 'map' ? entryOf(node, 'name')?.value : undefined
  return name?.kind === 'scalar' && typeof name.value === 'string' ? `Proxy \`${name.value}\`` : undefined
}

function wrongKey(source: ParsedSource, error: SchemaError, node: MapNode): Problem {
  const key = error.propertyName ?? ''
  const span = entryOf(node, key) ?? node
  const { rule, message, hint } = wordValue(source, error, ['interfaces', key], node)
  return problemAt({ source, span }, rule, message, { hint })
}
