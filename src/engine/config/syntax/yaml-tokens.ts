/** Tokens of the yaml package, with a limit on nesting that the package itself does not have. */
import { type CST, Lexer, Parser } from 'yaml'
import { MAX_DEPTH } from './node.ts'
import { fail } from './outcome.ts'

/**
 * What the package composes documents from. It does that recursively, and deep enough a recursion ends
 * the process: what is too deep must not get that far.
 */
export function* parseTokens(text: string): Generator<CST.Token, void> {
  const parser = new Parser()
  const depth = depthMeter()
  let offset = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (depth(lexeme) > MAX_DEPTH)
      fail({ start: offset, end: offset + 1 }, 'The nesting is too deep', undefined, 'too-deep')
    if (!MARKS.has(lexeme)) offset += lexeme.length
    for (const token of parser.next(lexeme)) {
      yield token
      // The first mistake is all that is reported; a megabyte of them would take its time.
      if (token.type === 'error') return
    }
  }
  yield* parser.end()
}

/** Lexemes that stand for no text: document start, error in a flow collection, "a scalar follows". */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f'])
const SCALAR_FOLLOWS = '\u001f'

/** Takes one lexeme after the other and says how deep the text is nested there. */
function depthMeter(): (lexeme: string) => number {
  let flow = 0
  let column = 0
  let atLineStart = true
  let isScalar = false
  /** Where the block collections around this place begin; ascending. */
  const columns: number[] = []

  const enter = (): void => {
    while (columns.length > 0 && columns.at(-1)! >= column) columns.pop()
    columns.push(column)
  }
  return (lexeme) => {
    const scalar = isScalar
    isScalar = lexeme === SCALAR_FOLLOWS
    if (MARKS.has(lexeme)) return flow + columns.length
    if (!scalar && (lexeme === '[' || lexeme === '{')) flow++
    if (!scalar && (lexeme === ']' || lexeme === '}')) flow = Math.max(0, flow - 1)
    if (atLineStart && flow === 0 && !/^\s/.test(lexeme)) {
      enter()
      atLineStart = !scalar && (lexeme === '-' || lexeme === '?' || lexeme === ':')
    }
    const newline = lexeme.lastIndexOf('\n')
    if (newline !== -1) atLineStart = true
    column = newline === -1 ? column + lexeme.length : lexeme.length - newline - 1
    return flow + columns.length
  }
}
