/** Builds the draft of one file. */
import type { Problem } from '../model/problem.ts'
import type { Family, Protocol } from '../model/snapshot.ts'
import { type Address, readAddress } from './address.ts'
import { defaults } from './defaults.generated.ts'
import type {
  Draft,
  DraftInterface,
  DraftListen,
  DraftProxy,
  DraftRoute,
  DraftSetting,
  DraftTargets,
  TextNode,
} from './draft.ts'
import {
  asMap,
  choice,
  isGiven,
  isText,
  located,
  mapsIn,
  member,
  number,
  type Reader,
  text,
} from './draft-reader.ts'
import { readCheck, readRoute, readTargets } from './draft-targets.ts'
import type { SchemaOutcome } from './schema-check.ts'
import type { ParsedSource } from './source.ts'
import { entryOf, type MapNode } from './syntax/node.ts'

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

function readProxy(reader: Reader, node: MapNode): DraftProxy {
  const listenNode = asMap(reader, member(reader, node, 'listen'))
  const listen = listenNode && readListen(reader, listenNode)
  const defaultTarget = readTargets(reader, member(reader, node, 'defaultTarget'))
  const sourceRoutes = mapsIn(reader, member(reader, node, 'sourceRoutes')).map((route) =>
    readRoute(reader, route),
  )
  return {
    source: reader.source,
    node,
    name: text(reader, node, 'name'),
    listen,
    forwarding: choice(reader, node, 'forwarding', defaults.proxy.forwarding),
    defaultTarget,
    sourceRoutes,
    onRemove: choice(reader, node, 'onRemove', defaults.proxy.onRemove),
    onRemoveDeadlineSec: number(reader, node, 'onRemoveDeadlineSec'),
    family: listen?.address?.value.family ?? familyOf(defaultTarget, sourceRoutes),
  }
}

function familyOf(
  defaultTarget: DraftTargets | undefined,
  routes: readonly DraftRoute[],
): Family | undefined {
  return (
    majority(familiesIn(defaultTarget)) ??
    majority(routes.flatMap(({ targets }) => familiesIn(targets))) ??
    majority(routes.flatMap(({ source }) => (source === undefined ? [] : [source.value.family])))
  )
}

function familiesIn(list: DraftTargets | undefined): Family[] {
  return (list?.targets ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip.value.family]))
}

function majority(families: readonly Family[]): Family | undefined {
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

function readInterfaces(reader: Reader, map: MapNode | undefined): DraftInterface[] {
  return (map?.entries ?? []).map((entry) => {
    const attach = text(reader, asMap(reader, entry.value), 'attach')
    return { source: reader.source, name: entry.key, keySpan: entry, attach }
  })
}

function readSettings(reader: Reader, map: MapNode | undefined): DraftSetting[] {
  return (map?.entries ?? []).map((entry) => ({
    source: reader.source,
    key: entry.key,
    keySpan: entry,
    value: entry.value,
    check: entry.key === 'healthCheckDefaults' ? readCheck(reader, entry.value) : undefined,
  }))
}
