/** The document of `lb validate --json`. The diagnostics are like Terraform's. */
import type { Problem, SourcePosition, SourceRange } from '../../engine/model/problem.ts'

export interface ValidationDocument {
  readonly formatVersion: 1
  readonly valid: boolean
  readonly errorCount: number
  readonly warningCount: number
  readonly diagnostics: readonly Diagnostic[]
}

export interface Diagnostic {
  readonly severity: Problem['severity']
  readonly summary: string
  /** What to do about it; empty where there is nothing to add. */
  readonly detail: string
  readonly rule: string
  readonly range?: DiagnosticRange
  readonly snippet?: string
  readonly related?: { readonly message: string; readonly range: DiagnosticRange; readonly snippet: string }
}

/** Lines and columns from 1, columns in code points; bytes from 0; the end is exclusive. */
export interface DiagnosticRange {
  readonly filename: string
  readonly start: SourcePosition
  readonly end: SourcePosition
}

export function problemsJson(problems: readonly Problem[]): ValidationDocument {
  const errorCount = problems.filter(({ severity }) => severity === 'error').length
  return {
    formatVersion: 1,
    valid: errorCount === 0,
    errorCount,
    warningCount: problems.length - errorCount,
    diagnostics: problems.map(diagnostic),
  }
}

function diagnostic({ severity, message, hint = '', rule, range, related }: Problem): Diagnostic {
  return {
    severity,
    summary: message,
    detail: hint,
    rule,
    ...(range && { range: rangeFields(range), snippet: range.snippet }),
    ...(related && {
      related: {
        message: related.message,
        range: rangeFields(related.range),
        snippet: related.range.snippet,
      },
    }),
  }
}

function rangeFields({ file, start, end }: SourceRange): DiagnosticRange {
  return { filename: file, start, end }
}
