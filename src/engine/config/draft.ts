/**
 * A configuration as far as it can be understood: what the schema has refused is absent, all else is
 * there with its place, so that one mistake does not hide the others.
 */
import type { Family } from '../model/snapshot.ts'
import type { Address, Network } from './address.ts'
import type { ParsedSource } from './source.ts'
import type { Entry, MapNode, Node, ScalarNode } from './syntax/node.ts'

export type TextNode = ScalarNode & { readonly value: string }
export type NumberNode = ScalarNode & { readonly value: number }

export interface DraftTarget {
  readonly node: MapNode
  readonly ip: Located<Address> | undefined
  /** Its name, in lower case, where it has one instead of an address. */
  readonly host: Located<string> | undefined
  readonly dnsRefreshSeconds: NumberNode | undefined
  readonly healthCheck: DraftCheck | undefined
  readonly drain: boolean
  readonly port: NumberNode | undefined
  readonly weight: NumberNode | undefined
  /** There is a weight, if perhaps a wrong one. */
  readonly weighted: boolean
}

/** A health check, or the defaults of health checks. */
export interface DraftCheck {
  readonly node: MapNode
  /** What is right of it, by key. */
  readonly entries: ReadonlyMap<string, Entry>
}

export interface DraftTargets {
  readonly node: Node
  readonly targets: readonly DraftTarget[]
}

export interface DraftRoute {
  readonly node: MapNode
  readonly source: Located<Network> | undefined
  /** The clients' name, in lower case, where they have one instead of a network. */
  readonly sourceHost: Located<string> | undefined
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
  readonly onRemove: 'keep' | 'reset' | undefined
  readonly onRemoveDeadlineSec: NumberNode | undefined
  /** From the address, or else what most default targets are of, or else other targets, or networks of clients. */
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
  /** Of `healthCheckDefaults`. */
  readonly check: DraftCheck | undefined
}

export interface Draft {
  readonly proxies: readonly DraftProxy[]
  readonly interfaces: readonly DraftInterface[]
  readonly settings: readonly DraftSetting[]
  /** Some file has the key `proxies`. */
  readonly hasProxies: boolean
}
