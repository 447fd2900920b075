/**
 * EDN with places. Keys written as keywords are turned into camelCase; keywords that are values, or
 * names of interfaces, into text. Stops at the first mistake.
 */
import { type Cursor, cursorOn, here, match, quoted, restOfLine, unquote } from './cursor.ts'
import { type Entry, MAX_DEPTH, type Node, type Scalar, type Span } from './node.ts'
import { attempt, duplicateKey, fail, type Outcome } from './outcome.ts'

/** Where a form stands: keys of a map under `interfaces` are names of the host, which are not ours to convert. */
type Place = 'root' | 'interfaces' | 'elsewhere'

export function readEdn(text: string): Outcome {
  return attempt((problems) => {
    const cursor = cursorOn(text, problems)
    skipBlank(cursor, 0)
    if (cursor.at >= text.length) fail(here(cursor), 'The file ends where a value should be')
    const root = readForm(cursor, 'root', 0)
    skipBlank(cursor, 0)
    if (cursor.at < text.length) {
      fail(here(cursor), 'There is more text after the end of the map', 'An EDN file holds one value.')
    }
    return root
  })
}

const BLANK = /[\s,]+|;[^\n]*/y
const TOKEN = /[^\s,;"{}[\]()]+/y
const INTEGER = /^[+-]?(?:0|[1-9][0-9]*)N?$/
const FLOAT = /^[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M?$/
const KEYWORD = /^:[^:/]+$/
const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['nil', null],
])

/** Skips space, commas, comments and forms discarded with `#_`. */
function skipBlank(cursor: Cursor, depth: number): void {
  for (;;) {
    for (let blank = match(cursor, BLANK); blank !== undefined; blank = match(cursor, BLANK)) {
      cursor.at += blank.length
    }
    if (!cursor.text.startsWith('#_', cursor.at)) return
    const start = cursor.at
    cursor.at += 2
    skipBlank(cursor, guard(cursor, depth))
    if (cursor.at >= cursor.text.length) fail({ start, end: start + 2 }, 'Nothing follows this `#_`')
    readForm(cursor, 'elsewhere', guard(cursor, depth))
  }
}

/** One level deeper. */
function guard(cursor: Cursor, depth: number): number {
  if (depth >= MAX_DEPTH) fail(here(cursor), 'The nesting is too deep', undefined, 'too-deep')
  return depth + 1
}

function readForm(cursor: Cursor, place: Place, depth: number): Node {
  const start = cursor.at
  switch (cursor.text[start]) {
    case '{':
      return readMap(cursor, place, guard(cursor, depth))
    case '[':
    case '(':
      return readList(cursor, guard(cursor, depth))
    case '"': {
      const value = readString(cursor)
      return { kind: 'scalar', value, start, end: cursor.at }
    }
    case ']':
    case ')':
    case '}':
      return fail(here(cursor), 'There is nothing open that this bracket would close')
    default: {
      const token = readToken(cursor)
      return { kind: 'scalar', value: tokenValue(token, start), start, end: cursor.at }
    }
  }
}

function readToken(cursor: Cursor): string {
  const token = match(cursor, TOKEN)
  if (token === undefined) fail(here(cursor), 'A value should be here')
  if (token.startsWith('#') || token.startsWith('^') || token.startsWith('\\') || token.startsWith("'")) {
    const span = { start: cursor.at, end: cursor.at + token.length }
    const hint = 'Only maps, vectors, strings, keywords, numbers, booleans and nil are used.'
    fail(
      span,
      'A configuration has no sets, tags, metadata, characters or quotes',
      hint,
      'unsupported-syntax',
    )
  }
  cursor.at += token.length
  return token
}

function tokenValue(token: string, start: number): Scalar {
  const word = WORDS.get(token)
  if (word !== undefined) return word
  if (KEYWORD.test(token)) return token.slice(1)
  if (INTEGER.test(token) || FLOAT.test(token)) return Number(token.replace(/[NM]$/, ''))
  const span = { start, end: start + token.length }
  if (/^[+-]?[0-9]/.test(token) && Number.isFinite(Number(token))) {
    fail(span, `\`${token}\` is not written as EDN writes numbers`, `Write ${Number(token)}.`)
  }
  if (token.startsWith(':'))
    fail(span, `\`${token}\` is not a plain keyword`, 'Keywords have no namespace here.')
  return fail(span, `\`${token}\` needs quotes`, `Write "${token}".`)
}

function readString(cursor: Cursor): string {
  const token = quoted(cursor)
  if (token === undefined) return fail(restOfLine(cursor), 'This text has no closing quote')
  // EDN strings may span lines, JSON's may not; the escapes are the same otherwise.
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const value = unquote(token.replace(/[\u0000-\u001f]/g, escapeControl))
  if (value === undefined) return fail(restOfLine(cursor), 'This text has an escape that EDN does not know')
  cursor.at += token.length
  return value
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function readList(cursor: Cursor, depth: number): Node {
  const start = cursor.at
  const close = cursor.text[start] === '[' ? ']' : ')'
  cursor.at++
  const items: Node[] = []
  while (!atClose(cursor, start, close, depth)) items.push(readForm(cursor, 'elsewhere', depth))
  return { kind: 'list', items, start, end: ++cursor.at }
}

function readMap(cursor: Cursor, place: Place, depth: number): Node {
  const start = cursor.at
  cursor.at++
  const entries: Entry[] = []
  const seen = new Map<string, Span>()
  while (!atClose(cursor, start, '}', depth)) {
    const { key, label, keySpan } = readKey(cursor, place)
    if (atClose(cursor, start, '}', depth)) fail(keySpan, `The key \`${label}\` has no value`)
    const inside = place === 'root' && key === 'interfaces' ? 'interfaces' : 'elsewhere'
    const value = readForm(cursor, inside, depth)
    const first = seen.get(key)
    if (first !== undefined) cursor.problems.push(duplicateKey(label, keySpan, first))
    else {
      seen.set(key, keySpan)
      entries.push({ key, ...keySpan, value })
    }
  }
  return { kind: 'map', entries, start, end: ++cursor.at }
}

/** Skips to the next form; whether it is the closing bracket. */
function atClose(cursor: Cursor, open: number, close: string, depth: number): boolean {
  skipBlank(cursor, depth)
  if (cursor.at < cursor.text.length) {
    const next = cursor.text[cursor.at] ?? ''
    if (next !== close && ')]}'.includes(next)) {
      fail(here(cursor), `\`${close}\` should close the bracket that is open here`)
    }
    return next === close
  }
  return fail(
    { start: open, end: open + 1 },
    `This \`${cursor.text[open] ?? ''}\` has no closing \`${close}\``,
  )
}

interface Key {
  readonly key: string
  /** As it is written. */
  readonly label: string
  readonly keySpan: Span
}

function readKey(cursor: Cursor, place: Place): Key {
  const start = cursor.at
  const first = cursor.text[start]
  if (first === '"') {
    const key = readString(cursor)
    return { key, label: key, keySpan: { start, end: cursor.at } }
  }
  if (first === '{' || first === '[' || first === '(') fail(here(cursor), 'A key is a keyword or text')
  const label = readToken(cursor)
  const keySpan = { start, end: cursor.at }
  if (!label.startsWith(':')) {
    fail(keySpan, `The key \`${label}\` should be a keyword`, `Write \`:${label}\`.`)
  }
  const key = place === 'interfaces' ? label.slice(1) : fromKeyword(label)
  return { key, label, keySpan }
}

/** `:source-routes` → `sourceRoutes`. What is not kebab-case stays as it is, and so is no known key. */
export function fromKeyword(label: string): string {
  if (!/^:[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(label)) return label
  return label.slice(1).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `sourceRoutes` → `:source-routes`. */
export function toKeyword(key: string): string {
  return `:${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
