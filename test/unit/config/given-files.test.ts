/** The files that come with lb: examples, starter, schema. */
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { toCanonicalYaml, toConfigObject } from '../../../src/engine/config/canonical.ts'
import { loadConfig } from '../../../src/engine/config/load.ts'
import type { UnresolvedSnapshot } from '../../../src/engine/model/unresolved.ts'
import { starterFile } from '../../../src/engine/config/starter.ts'
import { exampleFiles } from './examples.ts'
import { load, problemsOf } from './report.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../schema/lb.schema.json', import.meta.url), 'utf8'),
) as { readonly definitions: Readonly<Record<string, object>> }

function unresolved(text: string): UnresolvedSnapshot {
  const loaded = loadConfig([{ file: 'lb.yaml', text, format: 'yaml' }])
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  return loaded.snapshot
}

describe('examples', () => {
  it.each(exampleFiles())('$file is valid, without a warning', ({ file, text, format }) => {
    expect(loadConfig([{ file, text, format }])).toMatchObject({ ok: true, warnings: [] })
  })

  it.each(exampleFiles())('$file says what it shows', ({ text }) => {
    expect(text).toMatch(/^(#|;;|\{\n)/)
  })

  it('are of every format', () => {
    expect(new Set(exampleFiles().map(({ format }) => format))).toEqual(new Set(['yaml', 'json', 'edn']))
  })
})

describe('the starter', () => {
  it('is valid, without a warning', () => {
    expect(problemsOf(starterFile())).toEqual([])
  })

  it('names its schema on the first line', () => {
    expect(starterFile().split('\n')[0]).toBe('# yaml-language-server: $schema=./lb.schema.json')
  })

  it('is still valid with what it has in comments', () => {
    const text = starterFile().replace(
      /^( *)# ( *(?:address|sourceRoutes|- source|target|interfaces|eth0|settings|connectionTimeoutSec):)/gm,
      '$1$2',
    )
    const snapshot = load(text)
    expect(snapshot.proxies[0]?.sourceRoutes).toHaveLength(1)
    expect(snapshot.interfaces).toHaveLength(1)
  })
})

describe('the schema', () => {
  const ajv = new Ajv({ strictTypes: false, strictRequired: false, formats: { ipv4: true, ipv6: true } })

  it('is one', () => {
    expect(ajv.validateSchema(schema)).toBe(true)
  })

  it('describes every key', () => {
    for (const definition of Object.values(schema.definitions)) {
      const { properties = {} } = definition as {
        properties?: Record<string, { description?: string; $ref?: string }>
      }
      for (const [key, { description, $ref }] of Object.entries(properties)) {
        expect([key, description ?? $ref]).not.toContain(undefined)
      }
    }
  })

  it.each(exampleFiles('yaml'))('accepts $file as other tools would', ({ text }) => {
    const validate = ajv.compile(schema)
    expect(validate(toConfigObject(unresolved(text)))).toBe(true)
    expect(unresolved(toCanonicalYaml(unresolved(text)))).toEqual(unresolved(text))
  })
})
