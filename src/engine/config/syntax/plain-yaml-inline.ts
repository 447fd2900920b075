/** The parts of plain YAML that are on one line: keys, scalars, flow collections. */
import { type Entry, MAX_DEPTH, type Node, type Scalar } from './node.ts'

/** Thrown at whatever is not plain; never leaves `readPlainYaml`. */
export const NOT_PLAIN: unique symbol = Symbol('not plain YAML')

export function notPlain(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- a signal: a stack would only cost
  throw NOT_PLAIN
}

export function skipSpaces(text: string, at: number): number {
  while (text.charCodeAt(at) === 0x20) at++
  return at
}

/** What a character may be a part of. */
const KEY_START = 1
const KEY = 2
const WORD_START = 4
/** Colons are checked apart: one at the end would make the text a key. */
const WORD = 8
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  const isOne = (pattern: RegExp, bit: number): number => (pattern.test(char) ? bit : 0)
  return (
    isOne(/[A-Za-z0-9_$]/, KEY_START) |
    isOne(/[A-Za-z0-9_$./-]/, KEY) |
    isOne(/[A-Za-z0-9_$/]/, WORD_START) |
    isOne(/[A-Za-z0-9_$./+@=~:-]/, WORD)
  )
})

/** YAML allows 1,024 characters before the colon; nobody's key comes near. */
const MAX_KEY = 256

interface Token {
  readonly text: string
  readonly end: number
}

/** Where what begins at `at` ends: at `at` itself where nothing does. By hand: this is the innermost loop. */
function endOf(text: string, at: number, start: number, part: number): number {
  let end = at
  for (let wanted = start; ; wanted = part) {
    const code = text.charCodeAt(end)
    if (!(code < 128) || (CLASSES[code]! & wanted) === 0) return end
    end++
  }
}

/** The key at `at`, where a key with its colon is there. `end` is where the colon is. */
export function readKey(text: string, at: number, lineEnd: number): Token | undefined {
  const quote = text[at]
  const token = quote === '"' || quote === "'" ? readQuoted(text, at, lineEnd) : readBareKey(text, at)
  if (token === undefined || text[token.end] !== ':' || token.end - at > MAX_KEY) return undefined
  return token.end + 1 === lineEnd || text[token.end + 1] === ' ' ? token : undefined
}

function readBareKey(text: string, at: number): Token | undefined {
  const end = endOf(text, at, KEY_START, KEY)
  return end === at ? undefined : { text: text.slice(at, end), end }
}

/** Text in quotes without anything that would have to be unescaped. */
function readQuoted(text: string, at: number, lineEnd: number): Token | undefined {
  const quote = text[at] ?? ''
  const close = text.indexOf(quote, at + 1)
  if (close === -1 || close >= lineEnd) return undefined
  const content = text.slice(at + 1, close)
  if (quote === '"' ? content.includes('\\') : text[close + 1] === "'") return undefined
  return { text: content, end: close + 1 }
}

/** A value that ends on the line. */
export function inlineValue(text: string, at: number, lineEnd: number, depth: number, inFlow: boolean): Node {
  if (depth > MAX_DEPTH) notPlain()
  switch (text[at]) {
    case '{':
      return readMap(text, at, lineEnd, depth)
    case '[':
      return readList(text, at, lineEnd, depth)
    case '"':
    case "'": {
      const token = readQuoted(text, at, lineEnd)
      return token === undefined
        ? notPlain()
        : { kind: 'scalar', value: token.text, start: at, end: token.end }
    }
    default:
      return readWord(text, at, lineEnd, inFlow)
  }
}

function readWord(text: string, at: number, lineEnd: number, inFlow: boolean): Node {
  const end = endOf(text, at, WORD_START, WORD)
  if (end === at || text[end - 1] === ':') return notPlain()
  const word = text.slice(at, end)
  const next = skipSpaces(text, end)
  const ends =
    next >= lineEnd || (inFlow ? ',]}'.includes(text[next] ?? '') : text[next] === '#' && next > end)
  return ends ? { kind: 'scalar', value: resolve(word), start: at, end } : notPlain()
}

/** The number, boolean or text that a word stands for in the core schema. */
function resolve(word: string): Scalar {
  const first = word.charCodeAt(0)
  if (first >= 0x30 && first <= 0x39) {
    const number = Number(word)
    if (Number.isNaN(number)) return word
    // What looks like a number and is not written as JavaScript does is rare.
    return Number.isSafeInteger(number) && String(number) === word ? number : notPlain()
  }
  if (word === 'true' || word === 'false') return word === 'true'
  return /^(?:null|true|false)$/i.test(word) ? notPlain() : word
}

function readList(text: string, start: number, lineEnd: number, depth: number): Node {
  const items: Node[] = []
  let at = skipSpaces(text, start + 1)
  while (text[at] !== ']') {
    if (items.length > 0) at = skipComma(text, at)
    const item = inlineValue(text, at, lineEnd, depth + 1, true)
    items.push(item)
    at = skipSpaces(text, item.end)
    if (at >= lineEnd) notPlain()
  }
  return { kind: 'list', items: items.slice(), start, end: at + 1 }
}

function readMap(text: string, start: number, lineEnd: number, depth: number): Node {
  const entries: Entry[] = []
  let at = skipSpaces(text, start + 1)
  while (text[at] !== '}') {
    if (entries.length > 0) at = skipComma(text, at)
    const key = readKey(text, at, lineEnd)
    // Two equal keys on one line are worth the slower reader's message.
    if (key === undefined || entries.length > 8 || entries.some((entry) => entry.key === key.text))
      return notPlain()
    const value = inlineValue(text, skipSpaces(text, key.end + 1), lineEnd, depth + 1, true)
    entries.push({ key: key.text, start: at, end: key.end, value })
    at = skipSpaces(text, value.end)
    if (at >= lineEnd) notPlain()
  }
  // Copied without the room that it was given to grow, which is more than most maps take.
  return { kind: 'map', entries: entries.slice(), start, end: at + 1 }
}

function skipComma(text: string, at: number): number {
  return text[at] === ',' ? skipSpaces(text, at + 1) : notPlain()
}
