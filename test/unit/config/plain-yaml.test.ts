import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Node } from '../../../src/engine/config/syntax/node.ts'
import { readPlainYaml } from '../../../src/engine/config/syntax/plain-yaml.ts'
import { readAnyYaml } from '../../../src/engine/config/syntax/yaml.ts'
import { exampleFiles } from './examples.ts'

/** Values with all places that problems point at. Where a collection ends matters on its first line only. */
function comparable(text: string, node: Node | undefined): unknown {
  if (node === undefined) return undefined
  if (node.kind === 'scalar') return node
  const lineEnd = text.indexOf('\n', node.start)
  const end = lineEnd === -1 ? node.end : Math.min(node.end, lineEnd)
  if (node.kind === 'list') {
    return {
      kind: node.kind,
      start: node.start,
      end,
      items: node.items.map((item) => comparable(text, item)),
    }
  }
  const entries = node.entries.map(({ key, start, end, value }) => [key, start, end, comparable(text, value)])
  return { kind: node.kind, start: node.start, end, entries }
}

/** Whether the plain reader took the text; fails where it takes it for something else than the package does. */
function agree(text: string): boolean {
  const plain = readPlainYaml(text)
  if (plain === undefined) return false
  const full = readAnyYaml(text)
  expect(full.problems).toEqual(plain.problems)
  expect(comparable(text, full.root)).toEqual(comparable(text, plain.root))
  return true
}

const FRAGMENTS = [
  ...['a', 'b', 'key', 'a: ', 'b: ', 'key:', 'a: 1', 'b: x', '"q": ', "'q': "],
  ...['- ', '-', '- a: ', '- - ', '? ', ': ', ':', ' ', '  '],
  ...['[', ']', '{', '}', ', ', ',', '[a, b]', '{ a: 1, b: x }', '{}', '[]'],
  ...['"x"', "'y'", '"', "'", '"\\n"', "'it''s'", '#', ' # c', '# c'],
  ...[
    '1',
    '010',
    '0x1',
    '1e3',
    '1.5',
    '-1',
    '10.0.0.1',
    '10.0.0.0/8',
    'fd00::1',
    '::1',
    'a:b',
    'null',
    'true',
    '~',
    '.5',
  ],
  ...[
    '&x ',
    '*x',
    '!t ',
    '|',
    '>',
    '---',
    '...',
    '%',
    '@',
    '`',
    '<<',
    'é',
    '\u2028',
    '\t',
    '\r',
    '\ufeff',
    '\x7f',
  ],
]

const line = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 5 }))
  .map(([indent, parts]) => ' '.repeat(indent) + parts.join(''))

/** Lines that are mostly right, so that whole documents are. */
const likelyLine = fc
  .tuple(
    fc.constantFrom(0, 0, 2, 2, 4, 4, 6),
    fc.constantFrom('', '', '- '),
    fc.constantFrom('a', 'b', 'c', '"d"', '10', 'e.f'),
    fc.constantFrom(
      ':',
      ': 1',
      ': x # c',
      ': { a: 1, b: fd00::1 }',
      ': [a, "b", 10.0.0.1]',
      ': "t"',
      '',
      ': # c',
    ),
  )
  .map(([indent, dash, key, rest]) => `${' '.repeat(indent)}${dash}${key}${rest}`)

describe('the plain reader', () => {
  it('reads any text as the yaml package does, or leaves it alone', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.array(fc.oneof(line, likelyLine), { maxLength: 6 }), (lines) => {
        if (agree(lines.join('\n'))) taken++
      }),
      { numRuns: 4000 },
    )
    expect(taken).toBeGreaterThan(50)
  })

  it('says nothing of the value of a key that was there before', () => {
    expect(agree('a: 1\na:\n- b: 1\n  b: 2\n')).toBe(true)
  })

  it('reads likely text as the yaml package does', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.array(likelyLine, { minLength: 1, maxLength: 5 }), fc.boolean(), (lines, final) => {
        if (agree(lines.join('\n') + (final ? '\n' : ''))) taken++
      }),
      { numRuns: 4000 },
    )
    expect(taken).toBeGreaterThan(300)
  })

  it.each(exampleFiles('yaml'))('reads $file, and alike', ({ text }) => {
    expect(agree(text)).toBe(true)
  })

  it.each([
    ['a document start', '---\na: 1\n'],
    ['comments and blank lines', '# x\n\na: 1 # y\n  # z\nb:\n\n  c: 2\n# end'],
    ['a list in the column of its key', 'a:\n- b: 1\n  c: 2\n- b: 3\nd: 4\n'],
    ['maps below dashes', 'a:\n  -\n    b: 1\n  - # c\n    b: 2\n'],
    ['spaces everywhere', 'a:   1   \nb:  { c:   1 ,  d: [ x ,y ] }  \n'],
    ['a key twice', 'a: 1\nb: 2\na: 3\n'],
    ['many keys', `${Array.from({ length: 40 }, (_, i) => `k${i}: ${i}`).join('\n')}\nk3: 1\nk30: 1\n`],
    ['quotes', 'a: "b c"\n"d": \'e: f\'\n'],
    ['odd words', 'a: 1.2.3\nb: x:y\nc: 1_0\nd: a/b@c=d~e\ne: 08x\n'],
  ])('takes %s', (_, text) => {
    expect(agree(text)).toBe(true)
  })

  it.each([
    'a: b\n  c',
    'a:\n',
    'a: [b,\n  c]',
    'a: &x b',
    'a: |\n  b',
    '--- a',
    '---\na: 1\n---\nb: 1',
    '[a, b]',
    'a: {b: 1, b: 2}',
    'a: 1\n b: 2',
    'a:\tb',
    'a: 0x10',
    'a: ~',
    'a: "\\n"',
    'a: "b\n  c"',
    // Where no quote closes, nothing is found to end at the comment.
    ' # c\na: "b',
  ])('leaves %j alone', (text) => {
    expect(readPlainYaml(text)).toBeUndefined()
  })
})
