/** What is said about a value that the schema refuses. */
import type { RuleId } from '../model/rules.ts'
import { type ParsedSource, spell } from './source.ts'
import { suggest } from './suggest.ts'
import type { Node } from './syntax/node.ts'
import type { SchemaError } from './validator.generated.js'

export interface Words {
  readonly rule: RuleId
  readonly message: string
  readonly hint?: string | undefined
}

const EXAMPLES: Readonly<Record<string, string>> = {
  name: 'Every proxy has a name of its own.',
  listen: 'Say where the proxy listens: interfaces and port.',
  interfaces: 'Say on which network interfaces, as `ip link` lists them.',
  defaultTarget: 'Say where connections go: an address and a port.',
  ip: 'Say the address of the server, or its name under `host`.',
  source: 'Say which clients: a network such as 192.168.0.0/16, an address or a hostname.',
}

/** What a missing key is for. */
export function wordKey(source: ParsedSource, key: string): string | undefined {
  return key === 'port' ? `Add \`${spell(source, key)}\`, a number from 1 to 65535.` : EXAMPLES[key]
}

/** The message for an error about a value. */
export function wordValue(
  source: ParsedSource,
  error: SchemaError,
  path: readonly string[],
  node: Node,
): Words {
  const label = labelOf(source, path)
  const { parentSchema: schema } = error
  switch (error.keyword) {
    case 'type':
      return wordType(source, label, String(error.params['type']), node)
    case 'enum':
      return wordChoice(label, (schema['enum'] as readonly unknown[]).map(String), node)
    case 'const':
      return {
        rule: 'config-version',
        message: `${label} must be ${String(error.params['allowedValue'])}, not ${show(node)}`,
        hint: 'This lb reads version 1 of the configuration language.',
      }
    case 'minimum':
    case 'maximum': {
      const limits = `between ${String(schema['minimum'])} and ${String(schema['maximum'])}`
      return { rule: 'out-of-range', message: `${label} must be ${limits}, not ${show(node)}` }
    }
    case 'minItems':
      return {
        rule: 'empty-list',
        message: `${label} is an empty list`,
        hint: 'It needs at least one element.',
      }
    case 'false schema':
      return wordForbidden(source, path.at(-1) ?? '')
    default:
      return schema['title'] === 'Interface name'
        ? wordInterface(String(error.data))
        : wordForm(label, schema['title'], node)
  }
}

/** Keys that do not go together. */
function wordForbidden(source: ParsedSource, key: string): Words {
  const host = `\`${spell(source, 'host')}\``
  if (key === 'ip') {
    const message = `This target has both \`${spell(source, 'ip')}\` and ${host}`
    return { rule: 'ip-and-host', message, hint: 'Remove one of the two, or make two targets of it.' }
  }
  if (key === 'dnsRefreshSeconds') {
    const message = `\`${spell(source, key)}\` has no effect on a target without ${host}`
    return { rule: 'key-without-effect', message, hint: 'Addresses are not looked up: remove it.' }
  }
  if (key === 'onRemoveDeadlineSec') {
    const onRemove = `\`${spell(source, 'onRemove')}\``
    const message = `\`${spell(source, key)}\` has no effect where ${onRemove} is \`reset\``
    return {
      rule: 'key-without-effect',
      message,
      hint: 'Connections are ended at once: remove it, or write `keep` to give them time.',
    }
  }
  return {
    rule: 'target-and-targets',
    message: 'This source route has both `target` and `targets`',
    hint: `Put all targets into \`${spell(source, 'targets')}\`.`,
  }
}

/** Text that is not of the form it should have. */
function wordForm(label: string, title: unknown, node: Node): Words {
  const form = FORMS[String(title)]
  if (form === undefined) return wordName(node)
  return { rule: 'invalid-text', message: `${label} is no ${form.name}: ${show(node)}`, hint: form.hint }
}

const FORMS: Readonly<Record<string, { readonly name: string; readonly hint: string }>> = {
  'URL path': {
    name: 'path of a URL',
    hint: 'It starts with a slash and has no spaces, as in `/health`; others are written `%20`.',
  },
  'Host header': {
    name: 'Host header',
    hint: 'It is a name or address, perhaps with a port, as in `api.example.com:8080`.',
  },
  'Absolute path': { name: 'absolute path', hint: 'It starts with a slash, as in `/etc/ssl/ca.pem`.' },
  'Expected body': { name: 'text to look for', hint: 'It has 1 to 1024 characters.' },
}

/** The last key of a path, as it is written; elements of lists are told by their list. */
function labelOf(source: ParsedSource, path: readonly string[]): string {
  const last = path.at(-1)
  if (last === undefined) return 'The configuration'
  if (!/^[0-9]+$/.test(last)) return `\`${spell(source, last)}\``
  const list = path.at(-2)
  return list === undefined ? 'This' : `Each element of \`${spell(source, list)}\``
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  array: 'a list',
  object: 'a map',
  boolean: '`true` or `false`',
}

function wordType(source: ParsedSource, label: string, type: string, node: Node): Words {
  const message = `${label} must be ${TYPES[type] ?? type}, not ${show(node)}`
  return { rule: 'wrong-type', message, hint: typeHint(source, type, node) }
}

function typeHint(source: ParsedSource, type: string, node: Node): string | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (value === null) return 'Give it a value, or remove the key.'
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `Put it in quotes: "${String(value)}".`
  }
  if (type === 'integer' && typeof value === 'string' && /^[0-9]+$/.test(value)) {
    return `Write it without quotes: ${value}.`
  }
  if (type === 'boolean' && typeof value === 'string' && /^(yes|no|on|off|true|false)$/i.test(value)) {
    return `Write ${/^(yes|on|true)$/i.test(value) ? 'true' : 'false'}, without quotes.`
  }
  if (type === 'array' && value !== undefined) return `Write a list of one: ${writeList(source, value)}.`
  if (type === 'object' && typeof value === 'string') {
    return CHECK_TYPES.has(value) ? typeOnlyHint(source, value) : endpointHint(source, value)
  }
  return undefined
}

function writeList({ format }: ParsedSource, value: string | number | boolean): string {
  return format === 'yaml' ? `[${String(value)}]` : `[${JSON.stringify(value)}]`
}

const CHECK_TYPES: ReadonlySet<string> = new Set(['tcp', 'http', 'https', 'none'])

/** People write `healthCheck: tcp`. */
function typeOnlyHint({ format }: ParsedSource, type: string): string {
  if (format === 'edn') return `Write {:type :${type}}.`
  return format === 'json' ? `Write { "type": "${type}" }.` : `Write { type: ${type} }.`
}

/** People write targets as `10.0.0.1:8080`. */
function endpointHint({ format }: ParsedSource, value: string): string | undefined {
  const [, ip, port] = /^\[?([0-9A-Fa-f.:]+)\]?:([0-9]{1,5})$/.exec(value) ?? []
  if (ip === undefined || port === undefined) return undefined
  if (format === 'edn') return `Write {:ip "${ip}" :port ${port}}.`
  if (format === 'json') return `Write { "ip": "${ip}", "port": ${port} }.`
  return `Write { ip: ${ip.includes(':') ? JSON.stringify(ip) : ip}, port: ${port} }.`
}

function wordChoice(label: string, choices: readonly string[], node: Node): Words {
  const quoted = choices.map((choice) => `\`${choice}\``)
  const list =
    quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`
  const typed = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
  const meant = typed === undefined ? undefined : suggest(typed, choices)
  const hint = meant === undefined ? undefined : `Did you mean \`${meant}\`?`
  return { rule: 'unknown-value', message: `${label} must be ${list}, not ${show(node)}`, hint }
}

function wordName(node: Node): Words {
  return {
    rule: 'proxy-name',
    message: `${show(node)} is no name for a proxy`,
    hint: 'Use 1 to 63 letters, digits, dots, underscores and hyphens; the first is a letter or digit.',
  }
}

function wordInterface(name: string): Words {
  const rule = 'interface-name'
  if (name === '') return { rule, message: 'The name of an interface is empty' }
  const shown = shorten(name)
  if (name.length > 15) {
    return { rule, message: `The interface name \`${shown}\` has ${name.length} characters; Linux allows 15` }
  }
  const hint = name.includes(':')
    ? 'A name with a colon is an alias of an address, not an interface: use the part before it.'
    : undefined
  return { rule, message: `\`${shown}\` cannot be the name of an interface`, hint }
}

function show(node: Node): string {
  if (node.kind !== 'scalar') return TYPES[node.kind === 'list' ? 'array' : 'object'] ?? ''
  if (node.value === null) return 'empty'
  return typeof node.value === 'string' ? `"${shorten(node.value)}"` : String(node.value)
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
