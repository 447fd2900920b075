import type { Problem } from '../../model/problem.ts'
import { DEFAULT_HEALTH_CHECK } from '../../model/policy.ts'
import type { HealthCheck } from '../../model/policy.ts'
import type { Draft, DraftCheck } from '../draft.ts'
import { type ParsedSource, problemAt, spell } from '../source.ts'
import { listsOf } from './targets.ts'

type Type = HealthCheck['type']

/** The types of check that have each key; all have the others. */
const TYPES: Readonly<Record<string, readonly Type[]>> = {
  method: ['http', 'https'],
  path: ['http', 'https'],
  host: ['http', 'https'],
  expectedCodes: ['http', 'https'],
  expectedBody: ['http', 'https'],
  sni: ['https'],
  caFile: ['https'],
  insecureSkipVerify: ['https'],
}

/** What health checks say by themselves, and together with their defaults. */
export function checkHealth({ proxies, settings }: Draft): Problem[] {
  const defaults = settings.find(({ check }) => check !== undefined)
  const base = defaults?.check
  const ofDefaults =
    base === undefined || defaults === undefined ? [] : checkOne(defaults.source, base, undefined)
  const problems = [...ofDefaults]
  for (const proxy of proxies) {
    for (const { targets } of listsOf(proxy)) {
      for (const { healthCheck } of targets) {
        if (healthCheck !== undefined) problems.push(...checkOne(proxy.source, healthCheck, base))
      }
    }
  }
  return problems
}

function checkOne(source: ParsedSource, check: DraftCheck, base: DraftCheck | undefined): Problem[] {
  return [
    ...checkKeys(source, check, base),
    ...checkBody(source, check, base),
    ...checkTimeout(source, check, base),
  ]
}

function valueOf(key: string, { entries }: DraftCheck, base: DraftCheck | undefined): unknown {
  const node = (entries.get(key) ?? base?.entries.get(key))?.value
  return node?.kind === 'scalar' ? node.value : undefined
}

function checkKeys(source: ParsedSource, check: DraftCheck, base: DraftCheck | undefined): Problem[] {
  // A type that is wrong has been reported, and says nothing of the others.
  if (!check.entries.has('type') && check.node.entries.some(({ key }) => key === 'type')) return []
  const type = (valueOf('type', check, base) ?? DEFAULT_HEALTH_CHECK.type) as Type
  return [...check.entries.values()].flatMap((entry) => {
    const { key } = entry
    const types = TYPES[key]
    if (types === undefined || types.includes(type)) return []
    const names = types.map((name) => `\`${name}\``)
    const message = `\`${spell(source, key)}\` has no effect on a \`${type}\` check`
    const hint = `It is for checks of type ${names.join(' and ')}: set \`${spell(source, 'type')}\`, or remove it.`
    return [problemAt({ source, span: entry }, 'key-without-effect', message, { hint })]
  })
}

function checkBody(source: ParsedSource, check: DraftCheck, base: DraftCheck | undefined): Problem[] {
  const own = check.entries.get('expectedBody') ?? check.entries.get('method')
  if (own === undefined || valueOf('method', check, base) !== 'HEAD') return []
  if (valueOf('expectedBody', check, base) === undefined) return []
  const message = `The answer to a HEAD request has no body, so \`${spell(source, 'expectedBody')}\` is never found`
  const hint = `Use \`GET\`, or remove \`${spell(source, 'expectedBody')}\`.`
  return [problemAt({ source, span: own.value }, 'key-without-effect', message, { hint })]
}

function checkTimeout(source: ParsedSource, check: DraftCheck, base: DraftCheck | undefined): Problem[] {
  const own = check.entries.get('timeoutMs')
  const timeout = own?.value.kind === 'scalar' ? own.value.value : undefined
  const interval = valueOf('intervalMs', check, base) ?? DEFAULT_HEALTH_CHECK.intervalMs
  if (own === undefined || typeof timeout !== 'number' || timeout <= Number(interval)) return []
  const message = `A check may take ${timeout} ms, but the next one is due after ${Number(interval)} ms`
  const hint = 'While a check of a target goes on, no other one of it begins.'
  return [problemAt({ source, span: own.value }, 'health-timeout', message, { hint })]
}
