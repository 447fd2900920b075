// Makes from schema/lb.schema.json what src/engine/config needs of it at run time: TypeScript types, a
// validator that does not load ajv, and the defaults. Run it whenever the schema has changed.
import { readFile, writeFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'
import { compile } from 'json-schema-to-typescript'

const root = new URL('..', import.meta.url)
const folder = new URL('src/engine/config/', root)
const header = '// Made by scripts/generate-config.mjs from schema/lb.schema.json. Changes here are lost.\n'

const schema = JSON.parse(await readFile(new URL('schema/lb.schema.json', root), 'utf8'))

/** A copy in which `change` has replaced every object, the inner ones first. */
function rewrite(value, change) {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, change))
  if (typeof value !== 'object' || value === null) return value
  return change(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rewrite(item, change)])))
}

/**
 * json-schema-to-typescript knows unions, not conditions: "a list, or else one" becomes a union. What
 * narrows a string is no matter of types.
 */
const forTypes = rewrite(schema, (node) => {
  const { $ref: reference, if: condition, then, else: otherwise, anyOf: _, ...rest } = node
  if (condition?.type === 'array') return { ...rest, anyOf: [otherwise, then] }
  if (reference === '#/definitions/address') return { ...rest, type: 'string' }
  return reference === undefined ? rest : { ...rest, $ref: reference }
})

async function types() {
  const text = await compile(forTypes, 'Config', {
    bannerComment: header.trimEnd(),
    style: { semi: false, singleQuote: true, printWidth: 110 },
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
  })
  return text.replace(/export interface LbConfiguration\b/, 'export interface Config')
}

/**
 * ajv copies all errors so far whenever an element of a list has one more, which takes minutes for a
 * list of 100,000. Appending is enough.
 */
function withoutCopies(code) {
  const appending = code.replace(
    /\bvErrors = vErrors === null \? (\w+)\.errors : vErrors\.concat\(\1\.errors\);/g,
    'if (vErrors === null) vErrors = $1.errors; else for (const one of $1.errors) vErrors.push(one);',
  )
  if (appending.includes('.concat(')) throw new Error('ajv joins errors in a way that is not known here')
  return appending
}

/**
 * `verbose` puts the failing part of the schema into each error, from which the messages are worded.
 * What is said for the sake of editors, and checked with a better message by lb itself, is left out:
 * the syntax of addresses (`anyOf`) and repeated interfaces (`uniqueItems`).
 */
async function validator() {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    code: { source: true, esm: true, lines: true },
  })
  const bare = rewrite(schema, (node) => {
    const { examples: _, anyOf: __, uniqueItems: ___, ...rest } = node
    if (typeof rest.description === 'string') delete rest.description
    return rest
  })
  const code = withoutCopies(standaloneCode(ajv, ajv.compile(bare)))
  const bundled = await build({
    stdin: { contents: code, resolveDir: root.pathname, loader: 'js' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    charset: 'utf8',
  })
  return `${header}/* eslint-disable */\n${bundled.outputFiles[0].text}`
}

const validatorTypes = `${header}
/** What ajv says about one failing keyword. */
export interface SchemaError {
  readonly instancePath: string
  readonly schemaPath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
  readonly parentSchema: Readonly<Record<string, unknown>>
  readonly data: unknown
  /** Set on errors about a key instead of its value. */
  readonly propertyName?: string
}
export declare const validate: {
  (value: unknown): boolean
  errors: readonly SchemaError[] | null
}
`

/** The `default` of every property, under the name of its definition. */
function defaults() {
  const found = {}
  for (const [name, definition] of Object.entries(schema.definitions)) {
    for (const [key, property] of Object.entries(definition.properties ?? {})) {
      if ('default' in property) found[name] = { ...found[name], [key]: property.default }
    }
  }
  const text = JSON.stringify(found, null, 2)
    .replace(/"([a-zA-Z]+)":/g, '$1:')
    .replaceAll('"', "'")
  return `${header}\n/** The defaults of the configuration language. */\nexport const defaults = ${text} as const\n`
}

await writeFile(new URL('types.generated.ts', folder), await types())
await writeFile(new URL('validator.generated.js', folder), await validator())
await writeFile(new URL('validator.generated.d.ts', folder), validatorTypes)
await writeFile(new URL('defaults.generated.ts', folder), defaults())
