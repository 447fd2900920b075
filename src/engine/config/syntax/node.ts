/**
 * What the three readers produce: plain values with their places in the text. Offsets count UTF-16
 * code units from the start of the text, the end is exclusive.
 */
export interface Span {
  readonly start: number
  readonly end: number
}

export type Scalar = string | number | boolean | null

export interface ScalarNode extends Span {
  readonly kind: 'scalar'
  readonly value: Scalar
}

export interface ListNode extends Span {
  readonly kind: 'list'
  readonly items: readonly Node[]
}

export interface MapNode extends Span {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}

export type Node = ScalarNode | ListNode | MapNode

/** Its span is that of the key. */
export interface Entry extends Span {
  readonly key: string
  readonly value: Node
}

/** Nesting beyond this is refused: no configuration needs it, and it keeps recursion bounded. */
export const MAX_DEPTH = 64

/** The plain value of a node, as the validator takes it. */
export function toValue(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(toValue)
    case 'map':
      return toObject(node)
  }
}

function toObject(node: MapNode): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const { key, value } of node.entries) {
    // Assigning to `__proto__` would set the prototype instead of a key.
    if (key === '__proto__') Object.defineProperty(object, key, { value: toValue(value), enumerable: true })
    else object[key] = toValue(value)
  }
  return object
}

/** Maps with more keys than this get an index when one is looked up. */
const INDEX_FROM = 16
const indexes = new WeakMap<MapNode, ReadonlyMap<string, Entry>>()

/** The entry of a map with this key. */
export function entryOf(node: MapNode, key: string): Entry | undefined {
  if (node.entries.length < INDEX_FROM) {
    for (const entry of node.entries) if (entry.key === key) return entry
    return undefined
  }
  let index = indexes.get(node)
  if (index === undefined) {
    index = new Map(node.entries.map((entry) => [entry.key, entry]))
    indexes.set(node, index)
  }
  return index.get(key)
}

/** The node at a path of keys and list indexes. */
export function nodeAt(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root
  for (const step of path) {
    if (node?.kind === 'map') node = entryOf(node, step)?.value
    else if (node?.kind === 'list') node = node.items[Number(step)]
    else return undefined
  }
  return node
}
