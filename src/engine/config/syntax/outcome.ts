import type { RuleId } from '../../model/rules.ts'
import type { Node, Span } from './node.ts'

/** Something wrong with the text itself, before it has a meaning. */
export interface SyntaxProblem {
  readonly rule: RuleId
  readonly span: Span
  readonly message: string
  readonly hint?: string
  readonly related?: { readonly message: string; readonly span: Span }
}

/** What a reader makes of a text. Without a root the text could not be understood. */
export interface Outcome {
  readonly root: Node | undefined
  readonly problems: readonly SyntaxProblem[]
}

/** Thrown inside a reader at the first thing it cannot go on after; never leaves `read`. */
export class SyntaxFailure extends Error {
  readonly problem: SyntaxProblem
  constructor(problem: SyntaxProblem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Stops the reader with a problem. */
export function fail(span: Span, message: string, hint?: string, rule: RuleId = 'syntax'): never {
  throw new SyntaxFailure({ rule, span, message, ...(hint === undefined ? {} : { hint }) })
}

/** Runs a reader that stops at its first problem. */
export function attempt(read: (problems: SyntaxProblem[]) => Node): Outcome {
  const problems: SyntaxProblem[] = []
  try {
    const root = read(problems)
    return { root, problems }
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error
    return { root: undefined, problems: [...problems, error.problem] }
  }
}

/** A key that a map has a second time; of entries, only their spans are kept. */
export function duplicateKey(label: string, span: Span, first: Span): SyntaxProblem {
  return {
    rule: 'duplicate-key',
    span: { start: span.start, end: span.end },
    message: `The key \`${label}\` is in this map twice`,
    hint: 'Remove one of the two, or merge them.',
    related: { message: 'it is here first', span: { start: first.start, end: first.end } },
  }
}
