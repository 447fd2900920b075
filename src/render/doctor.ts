/** What `lb doctor` found. */
import type { Finding } from '../engine/model/finding.ts'
import type { Paint, Palette } from './palette.ts'
import { counted, escapeText, wrapText } from './text.ts'

const DETAIL_WIDTH = 78
const INDENT = ' '.repeat('warning  '.length)

/** Text without a final newline. */
export function renderDoctor(findings: readonly Finding[], palette: Palette): string {
  return [
    ...findings.flatMap((finding) => renderFinding(finding, palette)),
    '',
    verdict(findings, palette),
  ].join('\n')
}

function renderFinding({ status, title, detail, fix }: Finding, palette: Palette): string[] {
  const lines = detail === '' ? [] : wrapText(escapeText(detail), DETAIL_WIDTH)
  const paint = status === 'ok' ? palette.dim : (text: string): string => text
  return [
    `${paintOf(status, palette)(status.padEnd(7))}  ${escapeText(title)}`,
    ...lines.map((line) => `${INDENT}${paint(line)}`),
    ...(fix === undefined ? [] : [`${INDENT}fix: ${palette.bold(escapeText(fix))}`]),
  ]
}

function paintOf(status: Finding['status'], palette: Palette): Paint {
  return status === 'ok' ? palette.green : status === 'warning' ? palette.yellow : palette.red
}

function verdict(findings: readonly Finding[], palette: Palette): string {
  const errors = findings.filter(({ status }) => status === 'error').length
  const warnings = findings.filter(({ status }) => status === 'warning').length
  if (errors > 0) return palette.red(`${counted(errors, 'error')}, ${counted(warnings, 'warning')}`)
  return warnings > 0 ? palette.yellow(counted(warnings, 'warning')) : palette.green('All is well.')
}
