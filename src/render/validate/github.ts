/** Problems as workflow commands of GitHub Actions, which shows them in the files of a pull request. */
import type { Problem } from '../../engine/model/problem.ts'
import { escapeText } from '../text.ts'

/** One command a line, without a final newline. */
export function renderGithub(problems: readonly Problem[]): string {
  return problems.map(command).join('\n')
}

function command({ severity, rule, message, hint, range }: Problem): string {
  const properties = {
    ...(range && {
      file: range.file,
      line: String(range.start.line),
      endLine: String(range.end.line),
      col: String(range.start.column),
      // The last column that belongs to the place.
      endColumn: String(Math.max(range.start.column, range.end.column - 1)),
    }),
    title: `lb: ${rule}`,
  }
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`)
  const text = [message, ...(hint === undefined ? [] : [hint])].map(escapeText).join('\n')
  return `::${severity} ${list.join(',')}::${escapeData(text)}`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
