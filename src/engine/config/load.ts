/** Configuration text to what it asks for, or all that is wrong with it. */
import type { Problem, SourceRange } from '../model/problem.ts'
import type { UnresolvedSnapshot } from '../model/unresolved.ts'
import { checkFamilies } from './check/families.ts'
import { checkHealth } from './check/health.ts'
import { checkListeners } from './check/listeners.ts'
import { checkDefinitions, checkNames } from './check/names.ts'
import { checkRoutes } from './check/routes.ts'
import { checkSharedTargets } from './check/shared-targets.ts'
import { checkTargets } from './check/targets.ts'
import type { Draft } from './draft.ts'
import { readDraft } from './draft-read.ts'
import { locatorOf } from './locate.ts'
import { normalise } from './normalise.ts'
import { checkSchema } from './schema-check.ts'
import { parseSource, type Source } from './source.ts'

export type Loaded =
  | {
      readonly ok: true
      readonly snapshot: UnresolvedSnapshot
      readonly warnings: readonly Problem[]
      /** Where a resource address (src/engine/model/resource.ts) is defined; `undefined` for what is not in a file. */
      readonly locate: (address: string) => SourceRange | undefined
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Reads, checks, merges and normalises. All problems of all files are reported at once, in the order
 * of the files and lines; a mistake is reported once, not again by what follows from it.
 */
export function loadConfig(sources: readonly Source[]): Loaded {
  const files = [...new Map(sources.map((source) => [source.file, source])).values()]
  const problems: Problem[] = []
  const drafts: Draft[] = []
  for (const file of files) {
    const { source, problems: syntax } = parseSource(file)
    // Not `push(...list)`: a file can have more problems than a call can have arguments.
    for (const problem of syntax) problems.push(problem)
    if (source === undefined) continue
    const schema = checkSchema(source)
    const { draft, problems: addresses } = readDraft(source, schema)
    for (const problem of [...schema.problems, ...addresses]) problems.push(problem)
    drafts.push(draft)
  }
  const draft = mergeDrafts(drafts)
  for (const problem of check(draft)) problems.push(problem)
  const sorted = sortProblems([...problems, ...checkFiles(files)], files)
  if (sorted.some(({ severity }) => severity === 'error')) return { ok: false, problems: sorted }
  const warnings = [...checkPresence(draft), ...sorted]
  return { ok: true, snapshot: normalise(draft), warnings, locate: locatorOf(draft) }
}

function mergeDrafts(drafts: readonly Draft[]): Draft {
  return {
    proxies: drafts.flatMap(({ proxies }) => proxies),
    interfaces: drafts.flatMap(({ interfaces }) => interfaces),
    settings: drafts.flatMap(({ settings }) => settings),
    hasProxies: drafts.some(({ hasProxies }) => hasProxies),
  }
}

function check(draft: Draft): Problem[] {
  const { proxies, interfaces } = draft
  return [
    ...checkNames(proxies),
    ...checkDefinitions(draft),
    ...checkListeners(proxies, interfaces),
    ...checkFamilies(proxies),
    ...checkTargets(proxies),
    ...checkRoutes(proxies),
    ...checkHealth(draft),
    ...checkSharedTargets(proxies),
  ]
}

function checkFiles(files: readonly Source[]): Problem[] {
  if (files.length > 0) return []
  return [{ severity: 'error', rule: 'no-files', message: 'There is no configuration file to read' }]
}

/** An empty configuration removes everything: it should be what was meant. */
function checkPresence({ hasProxies }: Draft): Problem[] {
  if (hasProxies) return []
  const hint = 'If that is meant, write `proxies: []`.'
  return [{ severity: 'warning', rule: 'no-proxies', message: 'The configuration has no proxies', hint }]
}

/** In the order of files, then of places; each problem once. */
function sortProblems(problems: readonly Problem[], files: readonly Source[]): Problem[] {
  const order = new Map(files.map(({ file }, i) => [file, i]))
  const rank = ({ range }: Problem): number => (range === undefined ? -1 : (order.get(range.file) ?? -1))
  const offset = ({ range }: Problem): number => range?.start.byte ?? 0
  const seen = new Set<string>()
  return problems
    .filter((problem) => {
      const id = `${problem.rule} ${rank(problem)} ${offset(problem)} ${problem.message}`
      return !seen.has(id) && seen.add(id)
    })
    .sort((a, b) => rank(a) - rank(b) || offset(a) - offset(b))
}
