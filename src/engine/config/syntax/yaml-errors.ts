import type { RuleId } from '../../model/rules.ts'
import { SyntaxFailure } from './outcome.ts'

interface Wording {
  readonly rule?: RuleId
  readonly message?: string
  readonly hint?: string
}

/** The mistakes that people make, in better words than the parser's. */
const WORDING: Readonly<Record<string, Wording>> = {
  TAB_AS_INDENT: { message: 'A tab is used for indentation', hint: 'YAML is indented with spaces only.' },
  BAD_INDENT: {
    message: 'The indentation fits none of the lines above',
    hint: 'Keys of one map start in the same column.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'A map starts here in the middle of a line',
    hint: 'Begin a new line after the key, or put the value in quotes if it is text with a colon.',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'A key should be on one line, followed by a colon',
    hint: 'Is a colon missing, or a space after it?',
  },
  BAD_ALIAS: { message: 'This alias is not written as YAML writes aliases' },
}

/** What the parser says. */
export interface YamlError {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** The parser's first error. Those after it often only follow from it. */
export function wordYamlError({ code, message, pos: [start, end] }: YamlError): SyntaxFailure {
  const wording: Wording = WORDING[code] ?? {}
  return new SyntaxFailure({
    rule: wording.rule ?? 'syntax',
    span: { start, end },
    message: wording.message ?? message,
    ...(wording.hint === undefined ? {} : { hint: wording.hint }),
  })
}
