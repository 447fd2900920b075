/**
 * Writes src/engine/abi/layout.generated.ts: sizes, offsets and enum values of bpf/abi.h, read from
 * the BTF of the compiled object, so that no offset is written down twice.
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)
const native = createRequire(import.meta.url)(
  fileURLToPath(new URL('native/build/Release/lb_native.node', root)),
)
const { structs, enums } = native.readBtf(fileURLToPath(new URL('build/bpf/lb.bpf.o', root)))
const ours = ({ name }) => name.startsWith('lb_')
const byName = (a, b) => (a.name < b.name ? -1 : 1)

const structLines = structs
  .filter(ours)
  .sort(byName)
  .map(({ name, size, fields }) => {
    const lines = fields.map((f) => `      ${f.name}: { offset: ${f.offset}, size: ${f.size} },`)
    return `  ${name}: {\n    size: ${size},\n    fields: {\n${lines.join('\n')}\n    },\n  },`
  })
const enumLines = enums
  .filter(ours)
  .sort(byName)
  .map(({ name, values }) => {
    const lines = Object.entries(values).map(([key, value]) => `    ${key}: ${value},`)
    return `  ${name}: {\n${lines.join('\n')}\n  },`
  })

writeFileSync(
  new URL('src/engine/abi/layout.generated.ts', root),
  `// Made by scripts/generate-layout.mjs from the BTF of build/bpf/lb.bpf.o. Do not edit.

export const structs = {
${structLines.join('\n')}
} as const

export const enums = {
${enumLines.join('\n')}
} as const
`,
)
