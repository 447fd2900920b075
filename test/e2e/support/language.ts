/** What the configuration language can say, and what a configuration does say, in the same words. */

type Schema = Readonly<Record<string, unknown>>

const EVERYTHING = Symbol('every value that there can be')

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Every key and every choice that a JSON Schema allows, after the definition that it is in:
 * `settings.maxConnections`, `listen.protocol=udp`.
 */
export function sayable(schema: Schema): Set<string> {
  return words(schema, EVERYTHING)
}

/** Those of them that a configuration makes use of. */
export function said(schema: Schema, config: object): Set<string> {
  return words(schema, config)
}

function words(schema: Schema, config: unknown): Set<string> {
  const definitions = schema['definitions'] as Readonly<Record<string, unknown>>
  const found = new Set<string>()

  function walk(node: unknown, path: string, value: unknown): void {
    if (!isObject(node) || value === undefined) return
    if (typeof node['$ref'] === 'string') {
      const name = node['$ref'].replace('#/definitions/', '')
      walk(definitions[name], name, value)
    }
    for (const part of ['if', 'then', 'else']) walk(node[part], path, value)
    for (const choice of (node['enum'] ?? []) as unknown[]) {
      if (value === EVERYTHING || value === choice) found.add(`${path}=${String(choice)}`)
    }
    for (const [key, inner] of Object.entries(node['properties'] ?? {})) walkKey(inner, path, key, value)
    for (const item of elementsOf(value, isObject)) walk(node['additionalProperties'], path, item)
    for (const item of elementsOf(value, Array.isArray)) walk(node['items'], path, item)
  }

  function walkKey(node: unknown, path: string, key: string, value: unknown): void {
    const inner = value === EVERYTHING ? EVERYTHING : isObject(value) ? value[key] : undefined
    if (inner === undefined || node === false) return
    const word = path === '' ? key : `${path}.${key}`
    found.add(word)
    walk(node, word, inner)
  }

  walk(schema, '', config)
  return found
}

function elementsOf(value: unknown, is: (value: unknown) => boolean): unknown[] {
  if (value === EVERYTHING) return [EVERYTHING]
  return is(value) ? Object.values(value as object) : []
}
