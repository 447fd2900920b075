/** What became of reloads: a line in the log each, and what status and metrics tell of them. */
import type { AgreementStatus, FilesStatus, ReloadStatus } from '../engine/model/status.ts'
import type { Outcome, ReloadState, Report, Trigger } from '../engine/watch/types.ts'
import type { Log, LogLevel } from './log.ts'
import type { ReloadFacts } from './reloader.ts'

export interface Reports {
  readonly report: (report: Report, facts: ReloadFacts) => void
  readonly state: (state: ReloadState) => void
  readonly lastReload: () => ReloadStatus | null
  readonly reloads: () => Readonly<Record<Outcome, number>>
  readonly files: (facts: ReloadFacts) => FilesStatus
  readonly agreement: (facts: ReloadFacts) => AgreementStatus
  /** A line for the service manager. */
  readonly summary: () => string
}

const CAUSES: Readonly<Record<Trigger, string>> = {
  start: 'the daemon started',
  file: 'the files changed',
  signal: 'SIGHUP',
  request: 'it was asked for',
  retry: 'it failed before',
  kernel: 'what serves was compared with the files',
}

const OUTCOMES = [
  'applied',
  'unchanged',
  'invalid',
  'pending',
  'refused',
  'released',
  'drifted',
  'failed',
] as const
/** Changes that status names. */
const SHOWN = 20

function sentence(outcome: Outcome, cause: string, generation: number, why: string): [LogLevel, string] {
  switch (outcome) {
    case 'applied':
      return ['info', `generation ${generation} serves, because ${cause}`]
    case 'unchanged':
      return ['info', `nothing to change; looked because ${cause}`]
    case 'released':
      return ['info', `the plan that waited was applied: generation ${generation} serves`]
    case 'pending':
      return ['info', `a plan waits for \`lb apply\`; made because ${cause}`]
    case 'drifted':
      return ['warn', 'these files were applied before, and somebody moved on from them: left so']
    case 'refused':
      return ['warn', `a plan waits for \`lb apply\`: ${why}`]
    case 'invalid':
      return ['error', 'the configuration is wrong; nothing was changed']
    case 'failed':
      return ['error', `it failed, and is tried again: ${why}`]
  }
}

export function makeReports(log: Log, { paths }: { readonly paths: readonly string[] }): Reports {
  const reloads = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<Outcome, number>
  let last: ReloadStatus | null = null
  let state: ReloadState | undefined
  let since = new Date().toISOString()

  const reloaded = ({ trigger, outcome }: Report & { what: 'reload' }, facts: ReloadFacts): void => {
    reloads[outcome]++
    const { generation = 0, failure, plan } = facts
    const ms = Math.round(facts.ms * 10) / 10
    const failed = outcome === 'failed' || outcome === 'invalid' || outcome === 'refused'
    const why = failed ? (failure?.message ?? null) : null
    last = { at: new Date().toISOString(), trigger, outcome, generation, ms, message: why }
    const [level, message] = sentence(outcome, CAUSES[trigger], generation, why ?? '')
    log[level]('reload', message, {
      ...{ trigger, outcome, generation, ms },
      ...(plan && outcome !== 'invalid' && outcome !== 'unchanged' && { summary: plan.plan.summary }),
      ...(failed && { hint: failure?.hint }),
      ...(outcome === 'invalid' && { problems: failure?.problems ?? [], text: failure?.text ?? '' }),
    })
  }

  return {
    report(report, facts) {
      if (report.what === 'reload') reloaded(report, facts)
      else if (report.what === 'foreign') {
        const { from, to } = report
        const what = to === 0 ? 'nothing is applied any more' : `generation ${to} serves now`
        log.warn('foreign', `${what}, by somebody else; it was ${from}`, { from, to })
      } else if (report.state === 'found') {
        const changes = facts.plan?.plan.changes.slice(0, SHOWN).map(({ address }) => address)
        log.warn('drift', `files and kernel differ in ${report.changes}: left so (onDrift: report)`, {
          changes,
          summary: facts.plan?.plan.summary,
        })
      } else log.info('drift', 'files and kernel agree again')
    },
    state(next) {
      if (state && state.agreement.state !== next.agreement.state) since = new Date().toISOString()
      state = next
    },
    lastReload: () => last,
    reloads: () => reloads,
    files: ({ failure }) => ({
      paths,
      state: state?.file ?? 'unknown',
      problem: state?.file === 'invalid' ? (failure?.text ?? null) : null,
    }),
    agreement({ plan, failure }) {
      const agreement = state?.agreement ?? { state: 'unknown' as const }
      const differs = 'changes' in agreement
      return {
        state: agreement.state,
        since,
        message:
          agreement.state === 'failed'
            ? agreement.message
            : agreement.state === 'refused'
              ? (failure?.message ?? null)
              : null,
        summary: differs ? (plan?.plan.summary ?? null) : null,
        changes: differs
          ? (plan?.plan.changes.slice(0, SHOWN).map(({ action, address }) => ({ action, address })) ?? [])
          : [],
      }
    },
    summary() {
      if (!state || !last) return 'starts'
      const { file, agreement, generation = 0 } = state
      const files = file === 'invalid' ? 'the files are wrong' : `files and kernel: ${agreement.state}`
      return `generation ${generation} serves; ${files}`
    },
  }
}
