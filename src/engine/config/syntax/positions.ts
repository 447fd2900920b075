import type { SourcePosition, SourceRange } from '../../model/problem.ts'
import type { Span } from './node.ts'

/** Finds lines, columns and bytes in one text. Columns count code points, from 1. */
export interface Positions {
  /** The part of a span that is on its first line. */
  range(span: Span): SourceRange
}

/** Offsets are counted from marks this far apart, so that a text of one huge line stays cheap. */
const STRIDE = 1024

/** Longer lines are not quoted: many problems in one huge line would quote it many times. */
const MAX_SNIPPET = 1000

/** Nothing is computed before the first call of `range`: most files have no problems. */
export function positionsIn(file: string, text: string): Positions {
  let lines: readonly number[] | undefined
  let counter: Counter | undefined
  return {
    range(span) {
      lines ??= lineStarts(text)
      counter ??= makeCounter(text)
      return rangeIn(file, text, lines, counter, span)
    },
  }
}

function rangeIn(
  file: string,
  text: string,
  lines: readonly number[],
  counter: Counter,
  span: Span,
): SourceRange {
  let line = lineOf(lines, Math.min(span.start, text.length))
  // What is missing at the end of a file is missing after its last line, not on the empty one below.
  if (line > 0 && lines[line] === text.length) line--
  const lineStart = lines[line] ?? 0
  const lineEnd = endOfLine(text, lines[line + 1])
  const start = Math.min(Math.max(span.start, lineStart), lineEnd)
  const end = Math.max(start, Math.min(span.end, lineEnd))
  const base = counter(lineStart)
  const position = (offset: number): SourcePosition => {
    const { bytes, points } = counter(offset)
    return { line: line + 1, column: points - base.points + 1, byte: bytes }
  }
  const snippet = lineEnd - lineStart > MAX_SNIPPET ? '' : text.slice(lineStart, lineEnd)
  return { file, start: position(start), end: position(end), snippet }
}

function lineStarts(text: string): number[] {
  // A byte order mark is no part of the first line.
  const starts = [text.charCodeAt(0) === 0xfeff ? 1 : 0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function endOfLine(text: string, next: number | undefined): number {
  if (next === undefined) return text.length
  return text.charCodeAt(next - 2) === 0x0d ? next - 2 : next - 1
}

/** Index of the last line that starts at or before `offset`. */
function lineOf(lines: readonly number[], offset: number): number {
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((lines[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

interface Count {
  readonly bytes: number
  readonly points: number
}
/** Bytes of UTF-8 and code points before an offset. */
type Counter = (offset: number) => Count

function makeCounter(text: string): Counter {
  // eslint-disable-next-line no-control-regex -- ASCII is meant, control characters included
  if (!/[^\x00-\x7f]/.test(text)) return (offset) => ({ bytes: offset, points: offset })
  const marks: Count[] = []
  let count: Count = { bytes: 0, points: 0 }
  for (let at = 0; at <= text.length; at += STRIDE) {
    marks.push(count)
    count = advance(text, at, Math.min(at + STRIDE, text.length), count)
  }
  return (offset) => {
    const mark = Math.floor(offset / STRIDE)
    return advance(text, mark * STRIDE, offset, marks[mark] ?? count)
  }
}

function advance(text: string, from: number, to: number, { bytes, points }: Count): Count {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    // The halves of a surrogate pair take two bytes each; the first one counts as the code point.
    const surrogate = code >= 0xd800 && code <= 0xdfff
    bytes += code < 0x80 ? 1 : code < 0x800 || surrogate ? 2 : 3
    if (code < 0xdc00 || code > 0xdfff) points++
  }
  return { bytes, points }
}
