/**
 * Reads the YAML that configuration files are mostly written in, some twenty times as fast as the yaml
 * package: block maps and lists, flow collections on one line, comments, and text that is short and
 * unremarkable. Anything else, and any mistake, makes it give up, and the yaml package decides. A
 * property test holds the two together.
 */
import { type Entry, MAX_DEPTH, type Node } from './node.ts'
import { duplicateKey, type Outcome, type SyntaxProblem } from './outcome.ts'
import { inlineValue, NOT_PLAIN, notPlain, readKey, skipSpaces } from './plain-yaml-inline.ts'

/** The lines of a text, comments and blank ones left out. A reader stands on one line. */
interface Lines {
  readonly text: string
  /** Offset of the line's first character that is no space. After the last line: the text's length. */
  at: number
  /** Offset of the end of the line. */
  end: number
  /** Column of `at`, from 0; -1 after the last line. */
  indent: number
  readonly problems: SyntaxProblem[]
}

/** `undefined` where the text is not plain. */
export function readPlainYaml(text: string): Outcome | undefined {
  // Tabs, carriage returns, byte order marks, control characters.
  if (/[^\n -~\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)) return undefined
  const lines: Lines = { text, at: 0, end: -1, indent: -1, problems: [] }
  try {
    // The one line of three dashes that may begin a document; any other is not plain.
    if (text.startsWith('---\n')) lines.end = 3
    nextLine(lines)
    const root = readBlock(lines, 0)
    if (lines.indent !== -1) return undefined
    return { root, problems: lines.problems }
  } catch (signal) {
    if (signal === NOT_PLAIN) return undefined
    throw signal
  }
}

function nextLine(lines: Lines): void {
  const { text } = lines
  for (let start = lines.end + 1; start < text.length; start = lines.end + 1) {
    const newline = text.indexOf('\n', start)
    lines.end = newline === -1 ? text.length : newline
    lines.at = skipSpaces(text, start)
    if (lines.at >= lines.end || text[lines.at] === '#') continue
    lines.indent = lines.at - start
    return
  }
  lines.at = text.length
  lines.indent = -1
}

/** Whether nothing but space or a comment follows on the line. */
function atLineEnd({ text, end }: Lines, at: number): boolean {
  const next = skipSpaces(text, at)
  return next >= end || (next > at && text[next] === '#')
}

function isDash({ text, at, end }: Lines): boolean {
  return text[at] === '-' && (at + 1 === end || text[at + 1] === ' ')
}

function readBlock(lines: Lines, depth: number): Node {
  if (lines.indent === -1 || depth > MAX_DEPTH) notPlain()
  return isDash(lines) ? readList(lines, depth) : readMap(lines, depth)
}

function readList(lines: Lines, depth: number): Node {
  const column = lines.indent
  const start = lines.at
  const items: Node[] = []
  while (lines.indent === column && isDash(lines)) {
    const at = lines.at + 1
    items.push(atLineEnd(lines, at) ? readBelow(lines, column, depth) : readItem(lines, at, depth))
  }
  if (lines.indent > column) notPlain()
  return { kind: 'list', items: items.slice(), start, end: items.at(-1)?.end ?? start }
}

/** What is on the line of a dash: a map that begins there, or a value. */
function readItem(lines: Lines, at: number, depth: number): Node {
  const start = skipSpaces(lines.text, at)
  const column = lines.indent + start - lines.at
  if (readKey(lines.text, start, lines.end) !== undefined) {
    lines.at = start
    lines.indent = column
    return readMap(lines, depth + 1)
  }
  return readInline(lines, start, depth)
}

const INDEX_FROM = 16

function readMap(lines: Lines, depth: number): Node {
  if (depth > MAX_DEPTH) notPlain()
  const column = lines.indent
  const start = lines.at
  const entries: Entry[] = []
  // Few keys are searched, many are looked up: most maps of a large file have three.
  let index: Map<string, Entry> | undefined
  while (lines.indent === column) {
    const key = readKey(lines.text, lines.at, lines.end)
    if (key === undefined) return notPlain()
    const keyStart = lines.at
    const said = lines.problems.length
    const after = key.end + 1
    const value = atLineEnd(lines, after)
      ? readBelow(lines, column, depth, true)
      : readInline(lines, skipSpaces(lines.text, after), depth)
    const entry = { key: key.text, start: keyStart, end: key.end, value }
    const first = index ? index.get(key.text) : entries.find((other) => other.key === key.text)
    if (first !== undefined) {
      // The value is not used: what is wrong in it is no matter.
      lines.problems.length = said
      lines.problems.push(duplicateKey(key.text, entry, first))
      continue
    }
    entries.push(entry)
    index?.set(key.text, entry)
    if (entries.length === INDEX_FROM) index = new Map(entries.map((one) => [one.key, one]))
  }
  if (lines.indent > column) notPlain()
  return { kind: 'map', entries: entries.slice(), start, end: entries.at(-1)?.value.end ?? start }
}

/** A value that begins on the next line. A list may stand in the same column as the key that it belongs to. */
function readBelow(lines: Lines, column: number, depth: number, ofKey = false): Node {
  nextLine(lines)
  if (lines.indent > column) return readBlock(lines, depth + 1)
  if (ofKey && lines.indent === column && isDash(lines)) return readList(lines, depth + 1)
  // No value at all.
  return notPlain()
}

/** A value on the line, which must be all that is left of it, and must not go on below. */
function readInline(lines: Lines, at: number, depth: number): Node {
  const column = lines.indent
  const value = inlineValue(lines.text, at, lines.end, depth + 1, false)
  if (!atLineEnd(lines, value.end)) notPlain()
  nextLine(lines)
  if (lines.indent > column) notPlain()
  return value
}
