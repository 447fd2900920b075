/** Problems as SARIF 2.1.0, which code scanning services read. */
import type { Problem, SourceRange } from '../../engine/model/problem.ts'
import { RULES } from '../../engine/model/rules.ts'
import { renderJson } from '../json.ts'

/** The log, without a final newline. */
export function renderSarif(problems: readonly Problem[]): string {
  return renderJson({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'lb',
            rules: Object.entries(RULES).map(([id, text]) => ({ id, shortDescription: { text } })),
          },
        },
        columnKind: 'unicodeCodePoints',
        results: problems.map(result),
      },
    ],
  })
}

const INDEX: ReadonlyMap<string, number> = new Map(Object.keys(RULES).map((id, i) => [id, i]))

function result({ severity, rule, message, hint, range, related }: Problem): object {
  const ruleIndex = INDEX.get(rule)
  return {
    ruleId: rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: severity,
    message: { text: hint === undefined ? message : `${message}. ${hint}` },
    locations: range === undefined ? [] : [{ physicalLocation: physicalLocation(range) }],
    ...(related && {
      relatedLocations: [
        { id: 1, physicalLocation: physicalLocation(related.range), message: { text: related.message } },
      ],
    }),
  }
}

function physicalLocation({ file, start, end, snippet }: SourceRange): object {
  return {
    artifactLocation: { uri: fileUri(file) },
    region: {
      startLine: start.line,
      startColumn: start.column,
      endLine: end.line,
      endColumn: end.column,
      byteOffset: start.byte,
      byteLength: end.byte - start.byte,
      ...(snippet !== '' && { snippet: { text: snippet } }),
    },
  }
}

/** A path as a URI: relative as it is, absolute with its scheme. */
function fileUri(file: string): string {
  const path = encodeURI(file).replaceAll('?', '%3F').replaceAll('#', '%23')
  return path.startsWith('/') ? `file://${path}` : path
}
