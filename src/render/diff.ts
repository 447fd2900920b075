/** Two texts as a unified diff. */
import { structuredPatch } from 'diff'
import type { Paint, Palette } from './palette.ts'
import { escapeText } from './text.ts'

export interface DiffOptions {
  /** What the two sides are called. */
  readonly before: string
  readonly after: string
  readonly palette: Palette
}

/** Text without a final newline; empty where the two are the same. */
export function renderDiff(before: string, after: string, options: DiffOptions): string {
  const { palette } = options
  const { hunks } = structuredPatch('', '', before, after)
  if (hunks.length === 0) return ''
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    palette.cyan(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`),
    ...lines.map((line) => paintOf(line, palette)(escapeText(line))),
  ])
  return [
    palette.bold(`--- ${escapeText(options.before)}`),
    palette.bold(`+++ ${escapeText(options.after)}`),
    ...lines,
  ].join('\n')
}

function paintOf(line: string, palette: Palette): Paint {
  if (line.startsWith('+')) return palette.green
  return line.startsWith('-') ? palette.red : (text) => text
}
