/**
 * A configuration as far as it can be understood: what the schema has refused is absent, all else is
 * there with its place, so that one mistake does not hide the others.
 */
import type { Family } from '../model/snapshot.ts'
import type { Address, Network } from './address.ts'
import type { ParsedSource } from './source.ts'
import type { MapNode, Node, ScalarNode } from './syntax/node.ts'

export type TextNode = ScalarNode & { readonly value: string }
export type NumberNode = ScalarNode & { readonly value: number }

export interface DraftTarget {
  readonly node: MapNode
  readonly ip: Located<Address> | undefined
  readonly port: NumberNode | undefined
  readonly weight: NumberNode | undefined
  /** There is a weight, if perhaps a wrong one. */
  readonly weighted: boolean
}

export interface DraftTargets {
  readonly node: Node
  readonly targets: readonly DraftTarget[]
}

export interface DraftRoute {
  readonly node: MapNode
  readonly source: Located<Network> | undefined
  readonly targets: DraftTargets | undefined
}

export interface DraftListen {
  readonly node: MapNode
  readonly interfaces: readonly TextNode[]
  /** The address to listen on; `any` where it is one of the two that mean all. */
  readonly address: Located<Address> | undefined
  /** An address is given, but not one to listen on. */
  readonly addressInvalid: boolean
  readonly port: NumberNode | undefined
  readonly protocol: 'tcp' | 'udp' | undefined
}

export interface DraftProxy {
  readonly source: ParsedSource
  readonly node: MapNode
  readonly name: TextNode | undefined
  readonly listen: DraftListen | undefined
  readonly forwarding: 'nat' | undefined
  readonly defaultTarget: DraftTargets | undefined
  readonly sourceRoutes: readonly DraftRoute[]
  /** From the address, or else what most default targets are of. */
  readonly family: Family | undefined
}

export interface Located<T> {
  readonly node: TextNode
  readonly value: T
}

export interface DraftInterface {
  readonly source: ParsedSource
  readonly name: string
  readonly keySpan: { readonly start: number; readonly end: number }
  readonly attach: TextNode | undefined
}

export interface DraftSetting {
  readonly source: ParsedSource
  readonly key: string
  readonly keySpan: { readonly start: number; readonly end: number }
  readonly value: Node
}

export interface Draft {
  readonly proxies: readonly DraftProxy[]
  readonly interfaces: readonly DraftInterface[]
  readonly settings: readonly DraftSetting[]
  /** Some file has the key `proxies`. */
  readonly hasProxies: boolean
}
