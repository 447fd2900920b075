import fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderJson } from '../../../src/render/json.ts'
import { alignColumns, escapeText, quoteText, wrapText } from '../../../src/render/text.ts'

test.each([
  ['nothing in plain text of any script', 'plain ünïcödé 漢', 'plain ünïcödé 漢'],
  ['ANSI sequences', '\x1b[31m', '\\x1b[31m'],
  ['line breaks, tabs and NUL', 'a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
  ['C1 controls and DEL', '\x9b2J\x7f', '\\x9b2J\\x7f'],
  ['overrides, separators and lone surrogates', 'a\u202eb\u2028\ud800', 'a\\u{202e}b\\u{2028}\\u{d800}'],
])('escapes %s', (_, text, escaped) => {
  expect(escapeText(text)).toBe(escaped)
})

test('quoted text is printable and its end unmistakable', () => {
  expect(quoteText('say "hi"\n')).toBe('"say \\"hi\\"\\n"')
})

const hostile = fc.string({ unit: 'binary', maxLength: 20 })

test('JSON is printable and says the same', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), (value) => {
      const text = renderJson(value)
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      expect(JSON.parse(text)).toEqual(value)
    }),
  )
})

test('wraps at spaces and keeps long words whole', () => {
  expect(wrapText('aa bb cc dddddddd e', 5)).toEqual(['aa bb', 'cc', 'dddddddd', 'e'])
})

test('the last cell of a row widens no column', () => {
  expect(
    alignColumns([
      ['a', 'b', 'c'],
      ['', 'a long remark'],
      ['aa', 'b', 'c'],
    ]),
  ).toEqual(['a   b  c', '    a long remark', 'aa  b  c'])
})
