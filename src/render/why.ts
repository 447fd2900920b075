/** The reasons for a target's share, as `lb why` shows them. */
import { formatEndpoint } from '../engine/model/ip.ts'
import type { WeightCause } from '../engine/model/runtime.ts'
import type { WhyDocument } from '../engine/model/why.ts'
import type { Palette } from './palette.ts'
import { alignColumns, escapeText } from './text.ts'

/** Text without a final newline. */
export function renderWhy(document: WhyDocument, palette: Palette): string {
  const { target, lists, history } = document
  const name = `${formatEndpoint(target.ip, target.port)} of proxy ${target.proxy}`
  const sections = [`Target ${escapeText(name)}`]
  const shares = lists.map(({ source, configured, effective, cause }) => [
    source === null ? 'default target' : `source ${escapeText(source)}`,
    `${configured} %`,
    `${effective} %`,
    cause === 'configured' && effective !== configured ? 'others have less, or more' : WORDS[cause],
  ])
  sections.push(table([['LIST', 'CONFIGURED', 'EFFECTIVE', 'CAUSE'], ...shares], palette))
  const factors = document.factors.map(({ cause, factor }) => [
    cause,
    percent(factor),
    state(document, cause),
  ])
  sections.push(table([['CAUSE', 'LEAVES', 'STATE'], ...factors], palette))
  if (history.length === 0) return [...sections, 'Its weight has not changed.'].join('\n\n')
  const changes = history.map(({ at, from, to, cause }) => [
    new Date(at).toISOString(),
    `${percent(from)} → ${percent(to)}`,
    WORDS[cause],
  ])
  sections.push(table([['TIME', 'WEIGHT', 'CAUSE'], ...changes], palette))
  return sections.join('\n\n')
}

const WORDS: Readonly<Record<WeightCause, string>> = {
  configured: 'as configured',
  health: 'unhealthy',
  recovery: 'recovers',
  drain: 'drained',
  breaker: 'circuit breaker',
  load: 'load',
  fallback: 'nothing else is left of its list',
}

function state({ runtime, drainConfigured }: WhyDocument, cause: WeightCause): string {
  const { health, drain, breaker } = runtime
  switch (cause) {
    case 'drain':
      return drain.state === 'none' && drainConfigured ? 'drain: true' : since(drain)
    case 'breaker':
      return breaker.forced ? `${since(breaker)}, by hand` : since(breaker)
    case 'health':
      return since(health)
    case 'recovery':
      return health.recovery === 4 ? 'over' : `step ${health.recovery} of 4`
    default:
      return ''
  }
}

function since({ state: name, since: at }: { readonly state: string; readonly since: number }): string {
  return at === 0 ? name : `${name} since ${new Date(at).toISOString()}`
}

/** Of millionths. */
function percent(factor: number): string {
  return `${Math.round(factor / 100) / 100} %`
}

function table(rows: readonly (readonly string[])[], palette: Palette): string {
  const [head = '', ...lines] = alignColumns(rows)
  return [palette.bold(head), ...lines].join('\n')
}
