/** The piece of source that a problem is about, underlined, as compilers show it. */
import type { SourceRange } from '../../engine/model/problem.ts'
import type { Paint } from '../palette.ts'
import { escapeText } from '../text.ts'

/** Of a line longer than this, only the part around the place is shown. */
const WIDTH = 100

export interface FrameStyle {
  readonly gutter: Paint
  readonly mark: Paint
  /** Underlines: `^`, or `-` for a place that is only referred to. */
  readonly underline: string
}

/** Two or three lines, without a final newline; none where the source line is not at hand. */
export function renderFrame(range: SourceRange, { gutter, mark, underline }: FrameStyle): string[] {
  if (range.snippet === '') return []
  const number = String(range.start.line)
  const empty = gutter(`${' '.repeat(number.length)} |`)
  const { text, before, marked } = cut(range)
  const marks = mark(underline.repeat(Math.max(1, displayWidth(marked))))
  return [
    empty,
    `${gutter(`${number} |`)} ${text}`.trimEnd(),
    `${empty} ${' '.repeat(displayWidth(before))}${marks}`,
  ]
}

interface Cut {
  readonly text: string
  readonly before: string
  readonly marked: string
}

/** The first line of a snippet, cut to the width, as it can be printed. */
function cut({ snippet, start, end }: SourceRange): Cut {
  const points = Array.from(snippet.split('\n', 1)[0] ?? '')
  const first = start.column - 1
  const last = end.line === start.line ? end.column - 1 : points.length
  const from = points.length <= WIDTH ? 0 : Math.max(0, Math.min(first - WIDTH / 4, points.length - WIDTH))
  const to = Math.min(points.length, from + WIDTH)
  const head = from > 0 ? '...' : ''
  const before = head + printable(points.slice(from, first))
  const marked = printable(points.slice(first, Math.min(last, to)))
  const tail = to < points.length ? '...' : ''
  return {
    text: before + marked + printable(points.slice(Math.max(first, Math.min(last, to)), to)) + tail,
    before,
    marked,
  }
}

function printable(points: readonly string[]): string {
  return escapeText(points.map((point) => (point === '\t' ? '    ' : point)).join(''))
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Columns of a terminal that text takes. */
function displayWidth(text: string): number {
  let width = 0
  for (const point of text) width += /\p{M}/u.test(point) ? 0 : WIDE.test(point) ? 2 : 1
  return width
}
