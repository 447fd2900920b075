/** JSON as in RFC 8259, with places. Stops at the first mistake. */
import { type Cursor, cursorOn, here, match, quoted, restOfLine, unquote } from './cursor.ts'
import { type Entry, MAX_DEPTH, type Node, type Span } from './node.ts'
import { attempt, duplicateKey, fail, type Outcome } from './outcome.ts'

export function readJson(text: string): Outcome {
  return attempt((problems) => {
    const cursor = cursorOn(text, problems)
    skipSpace(cursor)
    const root = readValue(cursor, 0)
    skipSpace(cursor)
    if (cursor.at < text.length) {
      fail(here(cursor), 'There is more text after the end of the JSON value', 'A JSON file holds one value.')
    }
    return root
  })
}

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /[A-Za-z0-9_$.+-]+/y
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

function skipSpace(cursor: Cursor): void {
  cursor.at += match(cursor, SPACE)?.length ?? 0
  const two = cursor.text.slice(cursor.at, cursor.at + 2)
  if (two === '//' || two === '/*' || two.startsWith('#')) {
    fail(here(cursor), 'JSON has no comments', 'Remove it, or write the configuration in YAML.')
  }
}

function readValue(cursor: Cursor, depth: number): Node {
  const first = cursor.text[cursor.at]
  if (first === '{' || first === '[') {
    if (depth >= MAX_DEPTH) fail(here(cursor), 'The nesting is too deep', undefined, 'too-deep')
    return first === '{' ? readMap(cursor, depth + 1) : readList(cursor, depth + 1)
  }
  const start = cursor.at
  if (first === '"') {
    const value = readString(cursor)
    return { kind: 'scalar', value, start, end: cursor.at }
  }
  const word = match(cursor, WORD)
  const value = word === undefined ? undefined : wordValue(cursor, word)
  if (word === undefined || value === undefined) return failAtValue(cursor, word)
  cursor.at += word.length
  return { kind: 'scalar', value, start, end: cursor.at }
}

function wordValue(cursor: Cursor, word: string): number | boolean | null | undefined {
  return match(cursor, NUMBER) === word ? Number(word) : WORDS.get(word)
}

function failAtValue(cursor: Cursor, word: string | undefined): never {
  if (cursor.at >= cursor.text.length) fail(here(cursor), 'The file ends where a value should be')
  if (word === undefined) {
    const quote = cursor.text[cursor.at] === "'" ? 'JSON takes double quotes only.' : undefined
    fail(here(cursor), 'A value should be here', quote)
  }
  const span = { start: cursor.at, end: cursor.at + word.length }
  if (/^[+-]?[0-9.]/.test(word) && Number.isFinite(Number(word))) {
    fail(span, `\`${word}\` is not written as JSON writes numbers`, `Write ${Number(word)}.`)
  }
  fail(span, `\`${word}\` needs quotes`, `Write "${word}".`)
}

function readString(cursor: Cursor): string {
  const token = quoted(cursor)
  if (token === undefined) return fail(restOfLine(cursor), 'This text has no closing quote')
  const value = unquote(token)
  if (value === undefined) {
    const message =
      'This text goes over a line, or has a control character or an escape that JSON does not know'
    return fail(restOfLine(cursor), message)
  }
  cursor.at += token.length
  return value
}

function readList(cursor: Cursor, depth: number): Node {
  const start = cursor.at++
  const items: Node[] = []
  skipSpace(cursor)
  while (cursor.text[cursor.at] !== ']') {
    if (items.length > 0) readComma(cursor, start, ']')
    items.push(readValue(cursor, depth))
    skipSpace(cursor)
  }
  return { kind: 'list', items, start, end: ++cursor.at }
}

function readMap(cursor: Cursor, depth: number): Node {
  const start = cursor.at++
  const entries: Entry[] = []
  const seen = new Map<string, Span>()
  skipSpace(cursor)
  while (cursor.text[cursor.at] !== '}') {
    if (entries.length > 0) readComma(cursor, start, '}')
    const entry = readEntry(cursor, depth)
    const first = seen.get(entry.key)
    if (first !== undefined) cursor.problems.push(duplicateKey(entry.key, entry, first))
    else {
      seen.set(entry.key, entry)
      entries.push(entry)
    }
    skipSpace(cursor)
  }
  return { kind: 'map', entries, start, end: ++cursor.at }
}

function readEntry(cursor: Cursor, depth: number): Entry {
  const start = cursor.at
  if (cursor.text[start] !== '"') {
    const word = match(cursor, WORD)
    if (word === undefined) fail(here(cursor), 'A key in double quotes should be here')
    fail({ start, end: start + word.length }, `The key \`${word}\` needs quotes`, `Write "${word}".`)
  }
  const key = readString(cursor)
  const end = cursor.at
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== ':') fail(here(cursor), `A colon should follow the key \`${key}\``)
  cursor.at++
  skipSpace(cursor)
  return { key, start, end, value: readValue(cursor, depth) }
}

function readComma(cursor: Cursor, open: number, close: string): void {
  if (cursor.at >= cursor.text.length) {
    fail({ start: open, end: open + 1 }, `This \`${cursor.text[open] ?? ''}\` has no closing \`${close}\``)
  }
  const comma = here(cursor)
  if (cursor.text[cursor.at] !== ',') fail(comma, `A comma or \`${close}\` should be here`)
  cursor.at++
  skipSpace(cursor)
  if (cursor.text[cursor.at] === close) fail(comma, 'JSON has no comma after the last element', 'Remove it.')
}
