/** Problems of a configuration as text, JSON, workflow commands and SARIF. */
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Problem, SourceRange } from '../../../src/engine/model/problem.ts'
import { RULES } from '../../../src/engine/model/rules.ts'
import { makePalette } from '../../../src/render/palette.ts'
import { renderGithub } from '../../../src/render/validate/github.ts'
import { renderProblems } from '../../../src/render/validate/human.ts'
import { problemsJson } from '../../../src/render/validate/json.ts'
import { renderSarif } from '../../../src/render/validate/sarif.ts'

const PLAIN = makePalette(false)

/** A range on one line; `byte` counts as for a file of that line alone. */
function on(line: number, snippet: string, marked: string, file = 'lb.yaml'): SourceRange {
  const before = snippet.slice(0, snippet.indexOf(marked))
  const column = Array.from(before).length + 1
  const byte = new TextEncoder().encode(before).length
  return {
    file,
    start: { line, column, byte },
    end: {
      line,
      column: column + Array.from(marked).length,
      byte: byte + new TextEncoder().encode(marked).length,
    },
    snippet,
  }
}

const UNKNOWN_KEY: Problem = {
  severity: 'error',
  rule: 'unknown-key',
  message: 'Unknown key `lisen`',
  hint: 'Did you mean `listen`?',
  range: on(5, '    lisen: { interfaces: [eth0], port: 80 }', 'lisen'),
}
const DUPLICATE: Problem = {
  severity: 'error',
  rule: 'duplicate-name',
  message: 'There is already a proxy `web`',
  range: on(12, '  - name: web', 'web', 'conf/b.yaml'),
  related: { message: 'it is defined here', range: on(4, '  - name: web', 'web') },
}
const WARNING: Problem = {
  severity: 'warning',
  rule: 'no-proxies',
  message: 'The configuration has no proxies',
}

describe('for people', () => {
  it('shows each problem in its piece of source', () => {
    expect(renderProblems([UNKNOWN_KEY, DUPLICATE, WARNING], PLAIN))
      .toBe(`error: Unknown key \`lisen\` [unknown-key]
--> lb.yaml:5:5
  |
5 |     lisen: { interfaces: [eth0], port: 80 }
  |     ^^^^^
hint: Did you mean \`listen\`?

error: There is already a proxy \`web\` [duplicate-name]
--> conf/b.yaml:12:11
   |
12 |   - name: web
   |           ^^^
--> lb.yaml:4:11: it is defined here
  |
4 |   - name: web
  |           ---

warning: The configuration has no proxies [no-proxies]

The configuration is not valid: 2 errors, 1 warning.`)
  })

  it('says so where there are only warnings', () => {
    expect(renderProblems([WARNING], PLAIN)).toBe(`warning: The configuration has no proxies [no-proxies]

The configuration is valid, with 1 warning.`)
  })

  it('colours the severity and the marks', () => {
    const text = renderProblems([UNKNOWN_KEY], makePalette(true))
    expect(text).toContain('\x1b[31m^^^^^\x1b[39m')
    expect(stripVTControlCharacters(text)).toBe(renderProblems([UNKNOWN_KEY], PLAIN))
  })

  const frame = (range: SourceRange): string[] =>
    renderProblems([{ ...UNKNOWN_KEY, range }], PLAIN)
      .split('\n')
      .slice(3, 5)

  it.each([
    ['tabs', on(1, '\ta:\tbad', 'bad'), ['1 |     a:    bad', '  |           ^^^']],
    ['wide characters', on(1, '名前: "猫😀" bad', 'bad'), ['1 | 名前: "猫😀" bad', '  |              ^^^']],
    ['wide marks', on(1, 'a: 猫', '猫'), ['1 | a: 猫', '  |    ^^']],
    ['combining characters', on(1, 'e\u0301: bad', 'bad'), ['1 | e\u0301: bad', '  |    ^^^']],
    ['control characters', on(1, 'a\x1b[2J: bad', 'bad'), ['1 | a\\x1b[2J: bad', '  |           ^^^']],
    [
      'nothing to mark',
      { ...on(1, 'a: ', ''), start: { line: 1, column: 4, byte: 3 }, end: { line: 1, column: 4, byte: 3 } },
      ['1 | a:', '  |    ^'],
    ],
  ])('keeps marks in place under %s', (_, range, lines) => {
    expect(frame(range)).toEqual(lines)
  })

  it('shows the part of a long line that matters', () => {
    const filler = 'x'.repeat(400)
    const [line, marks] = frame(on(1, `${filler} bad ${filler}`, 'bad'))
    expect(line).toMatch(/^1 \| \.\.\.x+ bad x+\.\.\.$/)
    expect(line?.length).toBeLessThan(115)
    expect(marks?.indexOf('^')).toBe(line?.indexOf('bad'))
    const [all, under] = frame(on(1, filler, filler))
    expect(all?.length).toBe(4 + 100 + 3)
    expect(under).toBe(`  | ${'^'.repeat(100)}`)
  })

  it('does without the line where it is not at hand', () => {
    const range = { ...on(1, 'a: bad', 'bad'), snippet: '' }
    expect(
      renderProblems([{ ...UNKNOWN_KEY, range }], PLAIN)
        .split('\n')
        .slice(1, 3),
    ).toEqual(['--> lb.yaml:1:4', 'hint: Did you mean `listen`?'])
  })

  it('prints nothing that a terminal would obey', () => {
    const text = renderProblems([{ ...UNKNOWN_KEY, message: 'Unknown key `\x1b]0;x\x07`' }], PLAIN)
    expect(text.split('\n')[0]).toBe('error: Unknown key `\\x1b]0;x\\x07` [unknown-key]')
  })

  it('shows the first hundred', () => {
    const text = renderProblems(
      Array.from({ length: 250 }, () => WARNING),
      PLAIN,
    )
    expect(text.split('\n\n').slice(-2)).toEqual([
      '... and 150 more problems',
      'The configuration is valid, with 250 warnings.',
    ])
  })
})

describe('as JSON', () => {
  it('is a document of diagnostics', () => {
    expect(problemsJson([UNKNOWN_KEY, DUPLICATE, WARNING])).toEqual({
      formatVersion: 1,
      valid: false,
      errorCount: 2,
      warningCount: 1,
      diagnostics: [
        {
          severity: 'error',
          summary: 'Unknown key `lisen`',
          detail: 'Did you mean `listen`?',
          rule: 'unknown-key',
          range: {
            filename: 'lb.yaml',
            start: { line: 5, column: 5, byte: 4 },
            end: { line: 5, column: 10, byte: 9 },
          },
          snippet: '    lisen: { interfaces: [eth0], port: 80 }',
        },
        {
          severity: 'error',
          summary: 'There is already a proxy `web`',
          detail: '',
          rule: 'duplicate-name',
          range: {
            filename: 'conf/b.yaml',
            start: { line: 12, column: 11, byte: 10 },
            end: { line: 12, column: 14, byte: 13 },
          },
          snippet: '  - name: web',
          related: {
            message: 'it is defined here',
            range: {
              filename: 'lb.yaml',
              start: { line: 4, column: 11, byte: 10 },
              end: { line: 4, column: 14, byte: 13 },
            },
            snippet: '  - name: web',
          },
        },
        {
          severity: 'warning',
          summary: 'The configuration has no proxies',
          detail: '',
          rule: 'no-proxies',
        },
      ],
    })
  })

  it('is valid with warnings, and without', () => {
    expect(problemsJson([WARNING])).toMatchObject({ valid: true, errorCount: 0, warningCount: 1 })
    expect(problemsJson([])).toEqual({
      formatVersion: 1,
      valid: true,
      errorCount: 0,
      warningCount: 0,
      diagnostics: [],
    })
  })
})

describe('for GitHub', () => {
  it('is one command a problem', () => {
    expect(renderGithub([UNKNOWN_KEY, WARNING])).toBe(
      '::error file=lb.yaml,line=5,endLine=5,col=5,endColumn=9,title=lb%3A unknown-key::Unknown key `lisen`%0ADid you mean `listen`?\n' +
        '::warning title=lb%3A no-proxies::The configuration has no proxies',
    )
  })

  it('escapes what would end a property or the line', () => {
    const range = on(1, 'x', 'x', 'a,b:c%d\n.yaml')
    const text = renderGithub([{ severity: 'error', rule: 'syntax', message: '100%\r\n::error::x', range }])
    expect(text).toBe(
      '::error file=a%2Cb%3Ac%25d%0A.yaml,line=1,endLine=1,col=1,endColumn=1,title=lb%3A syntax::100%25\\x0d\\x0a::error::x',
    )
  })
})

interface Sarif {
  readonly version: string
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] }
      }
      readonly results: readonly Readonly<Record<string, unknown>>[]
    },
  ]
}

describe('as SARIF', () => {
  const log = JSON.parse(renderSarif([UNKNOWN_KEY, DUPLICATE, WARNING])) as Sarif
  const [run] = log.runs

  it('lists every rule', () => {
    expect(log.version).toBe('2.1.0')
    expect(run.tool.driver.name).toBe('lb')
    expect(run.tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(RULES))
  })

  it('places each result', () => {
    expect(run.results[0]).toEqual({
      ruleId: 'unknown-key',
      ruleIndex: Object.keys(RULES).indexOf('unknown-key'),
      level: 'error',
      message: { text: 'Unknown key `lisen`. Did you mean `listen`?' },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'lb.yaml' },
            region: {
              startLine: 5,
              startColumn: 5,
              endLine: 5,
              endColumn: 10,
              byteOffset: 4,
              byteLength: 5,
              snippet: { text: '    lisen: { interfaces: [eth0], port: 80 }' },
            },
          },
        },
      ],
    })
  })

  it('refers to the other place', () => {
    expect(run.results[1]).toMatchObject({
      relatedLocations: [
        {
          id: 1,
          physicalLocation: { artifactLocation: { uri: 'lb.yaml' }, region: { startLine: 4 } },
          message: { text: 'it is defined here' },
        },
      ],
    })
  })

  it('has results without a place', () => {
    expect(run.results[2]).toMatchObject({ level: 'warning', locations: [] })
  })

  it.each([
    ['a b/c#d?.yaml', 'a%20b/c%23d%3F.yaml'],
    ['/etc/lb/é.yaml', 'file:///etc/lb/%C3%A9.yaml'],
    ['<stdin>', '%3Cstdin%3E'],
  ])('writes the file %j as a URI', (file, uri) => {
    const text = renderSarif([{ ...UNKNOWN_KEY, range: on(1, 'x', 'x', file) }])
    const [{ results }] = (JSON.parse(text) as Sarif).runs
    expect(results[0]).toMatchObject({ locations: [{ physicalLocation: { artifactLocation: { uri } } }] })
  })
})
