import type { Problem } from '../model/problem.ts'
import type { Format } from './formats.ts'
import { type RuleId, WARNINGS } from '../model/rules.ts'
import { readEdn, toKeyword } from './syntax/edn.ts'
import { readJson } from './syntax/json.ts'
import type { Node, Span } from './syntax/node.ts'
import type { Outcome } from './syntax/outcome.ts'
import { type Positions, positionsIn } from './syntax/positions.ts'
import { readYaml } from './syntax/yaml.ts'

/** One configuration file, already read. */
export interface Source {
  /** As messages name it. */
  readonly file: string
  readonly text: string
  readonly format: Format
}

/** A file whose text is well-formed. */
export interface ParsedSource {
  readonly file: string
  readonly format: Format
  readonly positions: Positions
  readonly root: Node
}

export interface ParsedFile {
  readonly source: ParsedSource | undefined
  readonly problems: readonly Problem[]
}

const READERS: Readonly<Record<Format, (text: string) => Outcome>> = {
  yaml: readYaml,
  json: readJson,
  edn: readEdn,
}

/** Reads one file as far as syntax goes. */
export function parseSource({ file, text, format }: Source): ParsedFile {
  const positions = positionsIn(file, text)
  const { root, problems } = unreadable(text) ?? READERS[format](text)
  return {
    source: root === undefined ? undefined : { file, format, positions, root },
    problems: problems.map(({ rule, span, message, hint, related }) => ({
      severity: 'error',
      rule,
      message: bounded(message),
      ...(hint === undefined ? {} : { hint: bounded(hint) }),
      range: positions.range(span),
      ...(related && { related: { message: related.message, range: positions.range(related.span) } }),
    })),
  }
}

/** What no reader needs to see. */
function unreadable(text: string): Outcome | undefined {
  const nul = text.indexOf('\0')
  if (nul !== -1) {
    const span = { start: nul, end: nul + 1 }
    return {
      root: undefined,
      problems: [{ rule: 'syntax', span, message: 'The file is not text: it has a NUL byte' }],
    }
  }
  if (!/^\uFEFF?\s*$/.test(text)) return undefined
  const hint = 'An empty configuration is written `proxies: []`.'
  const span = { start: 0, end: 0 }
  return { root: undefined, problems: [{ rule: 'empty-file', span, message: 'The file is empty', hint }] }
}

/** Another place that a problem refers to. */
export interface Place {
  readonly source: ParsedSource
  readonly span: Span
}

export interface Extras {
  readonly hint?: string | undefined
  readonly related?: { readonly message: string; readonly at: Place } | undefined
}

/** Messages quote what is in the file, which may be anything. */
const MAX_MESSAGE = 300

function bounded(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text
}

/** A problem at a place of a source. */
export function problemAt(at: Place, rule: RuleId, message: string, extras: Extras = {}): Problem {
  const { hint, related } = extras
  return {
    severity: WARNINGS.has(rule) ? 'warning' : 'error',
    rule,
    message: bounded(message),
    ...(hint === undefined ? {} : { hint: bounded(hint) }),
    range: at.source.positions.range(at.span),
    ...(related && {
      related: { message: related.message, range: related.at.source.positions.range(related.at.span) },
    }),
  }
}

/** A key of the language as the format of a file writes it. */
export function spell(source: ParsedSource, key: string): string {
  return source.format === 'edn' ? toKeyword(key) : key
}
