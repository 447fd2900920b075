/** Whatever the text, there is an answer, and soon. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Format } from '../../../src/engine/config/formats.ts'
import { loadConfig } from '../../../src/engine/config/load.ts'
import { exampleFiles } from './examples.ts'
import { problemsOf, rulesOf } from './report.ts'

const FORMATS: readonly Format[] = ['yaml', 'json', 'edn']
const format = fc.constantFrom(...FORMATS)

/** Loads, and checks what must hold for every problem. */
function answer(text: string, as: Format): void {
  const loaded = loadConfig([{ file: 'f', text, format: as }])
  const bytes = new TextEncoder().encode(text).length
  const problems = loaded.ok ? loaded.warnings : loaded.problems
  if (!loaded.ok) expect(problems.some(({ severity }) => severity === 'error')).toBe(true)
  for (const { rule, range, message } of problems) {
    expect(message).not.toBe('')
    if (rule === 'no-proxies') continue
    expect(range?.start.line).toBeGreaterThan(0)
    expect(range?.start.column).toBeGreaterThan(0)
    expect(range?.start.byte).toBeLessThanOrEqual(range?.end.byte ?? 0)
    expect(range?.end.byte).toBeLessThanOrEqual(bytes)
  }
}

describe('any text', () => {
  it('has an answer', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), format, answer), { numRuns: 500 })
  })

  it('made of syntax has an answer', () => {
    const piece = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '- ',
        '? ',
        '"',
        "'",
        '#',
        '\n',
        '  ',
        '\t',
        '&a',
        '*a',
        '!',
        '|',
        '>',
        '%',
      ],
      ...[
        'proxies',
        ':proxies',
        'name',
        'version: 1',
        '1',
        'null',
        '#_',
        ';',
        '\\',
        '---\n',
        '\r',
        '\0',
        '\uFEFF',
        'é',
      ],
    )
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(fc.property(text, format, answer), { numRuns: 3000 })
  })

  it('that was valid has an answer', () => {
    const example = fc.constantFrom(...exampleFiles())
    const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 12 }), insert: fc.string({ maxLength: 4 }) })
    fc.assert(
      fc.property(example, fc.array(edit, { minLength: 1, maxLength: 3 }), ({ text, format: as }, edits) => {
        let changed = text
        for (const { at, remove, insert } of edits) {
          const start = at % changed.length
          changed = changed.slice(0, start) + insert + changed.slice(start + remove)
        }
        answer(changed, as)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('any value', () => {
  it('of any shape has an answer', () => {
    const key = fc.constantFrom(
      ...['proxies', 'name', 'listen', 'interfaces', 'port', 'defaultTarget', 'ip', 'weight', 'sourceRoutes'],
      ...['source', 'target', 'targets', 'settings', 'attach', 'x', '__proto__', 'constructor', ''],
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(
          null,
          true,
          0,
          80,
          -1,
          1.5,
          1e300,
          '',
          'web',
          'eth0',
          '10.0.0.1',
          '10.0.0.0/8',
          'fd00::1',
        ),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, fc.constantFrom<Format>('yaml', 'json'), (any, as) => {
        answer(JSON.stringify({ proxies: [any], interfaces: any, settings: any }), as)
      }),
      { numRuns: 1000 },
    )
  })
})

const N = 20_000
const repeated: readonly (readonly [string, string])[] = [
  ['open brackets', '['.repeat(N)],
  ['open braces', '{"a":'.repeat(N)],
  ['nested block maps', Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ['nested block lists', '- '.repeat(N)],
  ['explicit keys', '? '.repeat(N)],
  ['nested flow maps', '{a: '.repeat(N)],
  ['discards', '#_'.repeat(N)],
  ['closing brackets', ']'.repeat(N)],
  ['commas', `[${','.repeat(N)}`],
  ['anchors', '&a '.repeat(N)],
  ['tags', '! '.repeat(N)],
  ['a long string', `"${'a\\'.repeat(N)}`],
  ['a long word', 'x'.repeat(N)],
  ['digits', `version: ${'9'.repeat(N)}`],
  ['comments', '#\n'.repeat(N)],
  ['spaces', ' '.repeat(N)],
  ['documents', '---\n'.repeat(N)],
  ['lone surrogates', '\ud800'.repeat(N)],
  ['carriage returns', '\r'.repeat(N)],
]

describe('a great deal of', () => {
  it.each(repeated)('%s is refused', (_, text) => {
    for (const as of FORMATS) {
      const loaded = loadConfig([{ file: 'f', text, format: as }])
      expect(loaded.ok).toBe(false)
    }
  })

  it('nesting is said to be too deep', () => {
    expect(rulesOf('['.repeat(N))).toEqual(['1:65 too-deep'])
    expect(rulesOf('- '.repeat(N))).toEqual(['1:129 too-deep'])
    expect(rulesOf('['.repeat(N), 'json')).toEqual(['1:65 too-deep'])
    expect(rulesOf('['.repeat(N), 'edn')).toEqual(['1:65 too-deep'])
    expect(rulesOf('#_'.repeat(N), 'edn')).toEqual(['1:131 too-deep'])
  })

  // Hexadecimal is not for the plain reader of YAML.
  it.each([
    ['yaml', '1'],
    ['yaml', '0x1'],
    ['json', '1'],
    ['edn', '1'],
  ] as const)('nesting is read as deep as is allowed: %s, %s', (as, value) => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${value}${']'.repeat(depth)}`
    expect(rulesOf(nested(64), as)).toEqual(['1:1 wrong-type'])
    expect(rulesOf(nested(65), as)).toEqual(['1:65 too-deep'])
  })

  it('laughs', () => {
    const names = 'abcdefghij'.split('')
    const lines = names.map((name, i) => {
      const inner = i === 0 ? 'ha' : `*${names[i - 1] ?? ''}`
      return `${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(', ')}]`
    })
    expect(rulesOf(lines.join('\n'))).toEqual(['7:8 alias-expansion'])
  })

  it('mistakes is reported in full', () => {
    const targets = Array.from({ length: 20_000 }, (_, i) => `{"ip": "10.0.0.1", "prot": ${i}}`)
    const text = `{"proxies": [{"name": "web", "listen": {"interfaces": ["eth0"], "port": 1}, "defaultTarget": [${targets.join(',')}]}]}`
    expect(problemsOf(text, 'json')).toHaveLength(20_000)
  })
})

describe('a large configuration', () => {
  const lines = Array.from({ length: 1000 }, (_, i) => {
    const targets = Array.from(
      { length: 100 },
      (__, j) => `      - { ip: 10.${i >> 8}.${i & 255}.${j}, port: 80, weight: 1 }\n`,
    )
    const routes = Array.from(
      { length: 20 },
      (__, j) => `      - { source: 10.${j}.0.0/16, target: { ip: 10.9.9.9, port: 80 } }\n`,
    )
    return `  - name: p${i}\n    listen: { interfaces: [eth0], port: ${i + 1} }\n    defaultTarget:\n${targets.join('')}    sourceRoutes:\n${routes.join('')}`
  })
  const text = `proxies:\n${lines.join('')}`

  it('of 120,000 targets is read in good time', () => {
    const before = process.cpuUsage()
    expect(problemsOf(text)).toEqual([])
    const { user } = process.cpuUsage(before)
    // About a second; the limit only has to tell this from quadratic.
    expect(user).toBeLessThan(6_000_000)
  })
})
