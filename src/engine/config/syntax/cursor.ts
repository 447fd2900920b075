import type { Span } from './node.ts'
import type { SyntaxProblem } from './outcome.ts'

/** Where a hand-written reader is in its text. */
export interface Cursor {
  readonly text: string
  at: number
  readonly problems: SyntaxProblem[]
}

/** At the start of the text, after its byte order mark. */
export function cursorOn(text: string, problems: SyntaxProblem[]): Cursor {
  return { text, at: text.charCodeAt(0) === 0xfeff ? 1 : 0, problems }
}

/** The next character as a span; empty at the end of the text. */
export function here({ text, at }: Cursor): Span {
  return { start: at, end: Math.min(at + 1, text.length) }
}

/** What a sticky pattern matches here, without moving. For patterns without nested repetition only. */
export function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  return pattern.exec(cursor.text)?.[0]
}

export function restOfLine({ text, at }: Cursor): Span {
  const lineEnd = text.indexOf('\n', at)
  return { start: at, end: lineEnd === -1 ? text.length : lineEnd }
}

/** The text in double quotes that starts here, quotes included, without moving; by hand, as it may be huge. */
export function quoted({ text, at }: Cursor): string | undefined {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return text.slice(at, i + 1)
    if (code === 0x5c) i++
  }
  return undefined
}

/** What a JSON string stands for; `undefined` where it is none. */
export function unquote(token: string): string | undefined {
  try {
    return JSON.parse(token) as string
  } catch {
    return undefined
  }
}
