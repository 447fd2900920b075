/** Problems of a configuration, for people. */
import type { Problem, SourceRange } from '../../engine/model/problem.ts'
import type { Palette } from '../palette.ts'
import { counted, escapeText } from '../text.ts'
import { renderFrame } from './frame.ts'

/** Nobody reads more at once; the other formats have all of them. */
const SHOWN = 100

/** Every problem with its piece of source, then how many there are. No final newline. */
export function renderProblems(problems: readonly Problem[], palette: Palette): string {
  const blocks = problems.slice(0, SHOWN).map((problem) => renderProblem(problem, palette))
  if (problems.length > SHOWN) blocks.push(`... and ${counted(problems.length - SHOWN, 'more problem')}`)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (problems.length > 0) blocks.push(verdict(errors, problems.length - errors, palette))
  return blocks.join('\n\n')
}

function verdict(errors: number, warnings: number, { red, yellow }: Palette): string {
  const counts = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ].join(', ')
  if (errors > 0) return `${red('The configuration is not valid:')} ${counts}.`
  return `The configuration is valid, ${yellow(`with ${counts}`)}.`
}

function renderProblem({ severity, rule, message, hint, range, related }: Problem, palette: Palette): string {
  const { bold, dim, red, yellow, cyan } = palette
  const paint = severity === 'error' ? red : yellow
  const gutter = cyan
  const lines = [`${paint(bold(severity))}: ${bold(escapeText(message))} ${dim(`[${rule}]`)}`]
  if (range !== undefined) {
    lines.push(
      `${gutter('-->')} ${place(range)}`,
      ...renderFrame(range, { gutter, mark: paint, underline: '^' }),
    )
  }
  if (related !== undefined) {
    lines.push(`${gutter('-->')} ${place(related.range)}: ${escapeText(related.message)}`)
    lines.push(...renderFrame(related.range, { gutter, mark: cyan, underline: '-' }))
  }
  if (hint !== undefined) lines.push(`${cyan('hint:')} ${escapeText(hint)}`)
  return lines.join('\n')
}

/** `file:line:column`, which terminals and editors make a link. */
function place({ file, start }: SourceRange): string {
  return `${escapeText(file)}:${start.line}:${start.column}`
}
