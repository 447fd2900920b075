/** Builds the draft of one file. */
import type { Family, Protocol } from '../model/snapshot.ts'
import type { Problem } from '../model/problem.ts'
import { type Address, type Network, type Parsed, readAddress, readNetwork } from './address.ts'
import { defaults } from './defaults.generated.ts'
import type {
  Draft,
  DraftInterface,
  DraftListen,
  DraftProxy,
  DraftRoute,
  DraftSetting,
  DraftTarget,
  DraftTargets,
  Located,
  NumberNode,
  TextNode,
} from './draft.ts'
import type { RuleId } from '../model/rules.ts'
import type { SchemaOutcome } from './schema-check.ts'
import { type ParsedSource, problemAt } from './source.ts'
import { entryOf, type MapNode, type Node } from './syntax/node.ts'

interface Reader {
  readonly source: ParsedSource
  readonly schema: SchemaOutcome
  readonly problems: Problem[]
}

/** Reads what the schema has left valid, and adds what is wrong with addresses. */
export function readDraft(
  source: ParsedSource,
  schema: SchemaOutcome,
): { readonly draft: Draft; readonly problems: readonly Problem[] } {
  const reader: Reader = { source, schema, problems: [] }
  const root = asMap(reader, source.root)
  const proxies = member(reader, root, 'proxies')
  const draft: Draft = {
    proxies: mapsIn(reader, proxies).map((node) => readProxy(reader, node)),
    interfaces: readInterfaces(reader, asMap(reader, member(reader, root, 'interfaces'))),
    settings: readSettings(reader, asMap(reader, member(reader, root, 'settings'))),
    hasProxies: root === undefined || entryOf(root, 'proxies') !== undefined,
  }
  return { draft, problems: reader.problems }
}

function member({ schema: { invalid } }: Reader, map: MapNode | undefined, key: string): Node | undefined {
  const value = map && entryOf(map, key)?.value
  return value !== undefined && !invalid.has(value) ? value : undefined
}

/** Whether a key was given, if perhaps with a wrong value or a typing mistake. */
function isGiven({ schema }: Reader, map: MapNode, key: string): boolean {
  return entryOf(map, key) !== undefined || schema.misspelt.get(map)?.has(key) === true
}

function asMap({ schema: { invalid } }: Reader, node: Node | undefined): MapNode | undefined {
  return node?.kind === 'map' && !invalid.has(node) ? node : undefined
}

function mapsIn(reader: Reader, node: Node | undefined): MapNode[] {
  if (node?.kind !== 'list') return []
  return node.items.filter((item): item is MapNode => asMap(reader, item) !== undefined)
}

function isText(node: Node | undefined): node is TextNode {
  return node?.kind === 'scalar' && typeof node.value === 'string'
}

function text(reader: Reader, map: MapNode | undefined, key: string): TextNode | undefined {
  const node = member(reader, map, key)
  return isText(node) ? node : undefined
}

function number(reader: Reader, map: MapNode, key: string): NumberNode | undefined {
  const node = member(reader, map, key)
  return node?.kind === 'scalar' && typeof node.value === 'number' ? (node as NumberNode) : undefined
}

/** A value with fixed choices; the schema has seen to it that it is one of them. */
function choice<T extends string>(reader: Reader, map: MapNode, key: string, otherwise: T): T | undefined {
  if (!isGiven(reader, map, key)) return otherwise
  return text(reader, map, key)?.value as T | undefined
}

function located<T>(
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

function readProxy(reader: Reader, node: MapNode): DraftProxy {
  const listenNode = asMap(reader, member(reader, node, 'listen'))
  const listen = listenNode && readListen(reader, listenNode)
  const defaultTarget = readTargets(reader, member(reader, node, 'defaultTarget'))
  return {
    source: reader.source,
    node,
    name: text(reader, node, 'name'),
    listen,
    forwarding: choice(reader, node, 'forwarding', defaults.proxy.forwarding),
    defaultTarget,
    sourceRoutes: mapsIn(reader, member(reader, node, 'sourceRoutes')).map((route) =>
      readRoute(reader, route),
    ),
    family: listen?.address?.value.family ?? majority(defaultTarget),
  }
}

function majority(list: DraftTargets | undefined): Family | undefined {
  const families = (list?.targets ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip.value.family]))
  const [first] = families
  const others = families.filter((family) => family !== first)
  return others.length > families.length / 2 ? others[0] : first
}

function readListen(reader: Reader, node: MapNode): DraftListen {
  const interfaces = member(reader, node, 'interfaces')
  const items = interfaces?.kind === 'list' ? interfaces.items : []
  const address = located<Address>(reader, text(reader, node, 'address'), 'invalid-address', readAddress)
  return {
    node,
    interfaces: items.filter((item): item is TextNode => isText(item) && !reader.schema.invalid.has(item)),
    address,
    addressInvalid: address === undefined && isGiven(reader, node, 'address'),
    port: number(reader, node, 'port'),
    protocol: choice<Protocol>(reader, node, 'protocol', defaults.listen.protocol),
  }
}

function readTargets(reader: Reader, node: Node | undefined): DraftTargets | undefined {
  if (node === undefined) return undefined
  const nodes = node.kind === 'map' ? [node] : mapsIn(reader, node)
  return { node, targets: nodes.map((target) => readTarget(reader, target)) }
}

function readTarget(reader: Reader, node: MapNode): DraftTarget {
  return {
    node,
    ip: located<Address>(reader, text(reader, node, 'ip'), 'invalid-address', readAddress),
    port: number(reader, node, 'port'),
    weight: number(reader, node, 'weight'),
    weighted: isGiven(reader, node, 'weight'),
  }
}

function readRoute(reader: Reader, node: MapNode): DraftRoute {
  const targets = member(reader, node, 'targets') ?? asMap(reader, member(reader, node, 'target'))
  return {
    node,
    source: located<Network>(reader, text(reader, node, 'source'), 'invalid-source', readNetwork),
    targets: readTargets(reader, targets),
  }
}

function readInterfaces(reader: Reader, map: MapNode | undefined): DraftInterface[] {
  return (map?.entries ?? []).map(({ key, keySpan, value }) => {
    const attach = text(reader, asMap(reader, value), 'attach')
    return { source: reader.source, name: key, keySpan, attach }
  })
}

function readSettings(reader: Reader, map: MapNode | undefined): DraftSetting[] {
  return (map?.entries ?? []).map(({ key, keySpan, value }) => ({
    source: reader.source,
    key,
    keySpan,
    value,
  }))
}
