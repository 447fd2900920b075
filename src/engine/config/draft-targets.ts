/** Builds the part of a draft that is about targets and the clients they are for. */
import { type Address, type Network, readNetwork, readTargetAddress } from './address.ts'
import type { DraftCheck, DraftRoute, DraftTarget, DraftTargets } from './draft.ts'
import { asMap, isGiven, located, mapsIn, member, number, type Reader, text } from './draft-reader.ts'
import { isHostname, readHostname } from './hostname.ts'
import type { MapNode, Node } from './syntax/node.ts'

export function readTargets(reader: Reader, node: Node | undefined): DraftTargets | undefined {
  if (node === undefined) return undefined
  const nodes = node.kind === 'map' ? [node] : mapsIn(reader, node)
  return { node, targets: nodes.map((target) => readTarget(reader, target)) }
}

function readTarget(reader: Reader, node: MapNode): DraftTarget {
  const drain = member(reader, node, 'drain')
  return {
    node,
    ip: located<Address>(reader, text(reader, node, 'ip'), 'invalid-address', readTargetAddress),
    host: located(reader, text(reader, node, 'host'), 'invalid-host', readHostname),
    dnsRefreshSeconds: number(reader, node, 'dnsRefreshSeconds'),
    healthCheck: readCheck(reader, member(reader, node, 'healthCheck')),
    drain: drain?.kind === 'scalar' && drain.value === true,
    port: number(reader, node, 'port'),
    weight: number(reader, node, 'weight'),
    weighted: isGiven(reader, node, 'weight'),
  }
}

/** A health check, or the defaults of health checks. */
export function readCheck(reader: Reader, node: Node | undefined): DraftCheck | undefined {
  const map = asMap(reader, node)
  if (map === undefined) return undefined
  const { invalid } = reader.schema
  const right = map.entries.filter(({ value }) => !invalid.has(value))
  const sni = text(reader, map, 'sni')
  const isName = sni === undefined || located(reader, sni, 'invalid-host', readHostname) !== undefined
  return {
    node: map,
    entries: new Map(right.flatMap((entry) => (entry.key === 'sni' && !isName ? [] : [[entry.key, entry]]))),
  }
}

export function readRoute(reader: Reader, node: MapNode): DraftRoute {
  const targets = member(reader, node, 'targets') ?? asMap(reader, member(reader, node, 'target'))
  const source = text(reader, node, 'source')
  const isName = source !== undefined && isHostname(source.value.toLowerCase())
  return {
    node,
    source: isName ? undefined : located<Network>(reader, source, 'invalid-source', readNetwork),
    sourceHost: isName ? located(reader, source, 'invalid-source', readHostname) : undefined,
    targets: readTargets(reader, targets),
  }
}
