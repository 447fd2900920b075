/**
 * When the daemon reads its files again, and what it does with the plan that comes of it. Pure: events
 * in, the next state and things to do out. Timers, files and the kernel are the caller's.
 *
 * A configuration that came from the files is applied (or published, where a person approves). A state
 * of the kernel that came from somebody else, by `lb apply`, `lb rollback` or bpftool, is adopted: it is
 * reported as drift, and put right only where the policy says so.
 */
import type {
  Agreement,
  Planned,
  ReloadEvent,
  ReloadPolicy,
  ReloadState,
  ReloadStep,
  Report,
  Task,
  Trigger,
} from './types.ts'

export const INITIAL: ReloadState = {
  phase: 'idle',
  trigger: 'start',
  queued: undefined,
  touchedAt: 0,
  digest: undefined,
  file: 'unknown',
  agreement: { state: 'unknown' },
  generation: undefined,
  failures: 0,
}

/** What is asked for by name goes before what is noticed. */
const RANK: Readonly<Record<Trigger, number>> = {
  kernel: 0,
  retry: 1,
  file: 2,
  start: 3,
  request: 4,
  signal: 5,
}

export function reload(state: ReloadState, event: ReloadEvent, policy: ReloadPolicy): ReloadStep {
  switch (event.on) {
    case 'touched':
      return touched(state, event.at, policy)
    case 'settled':
      return state.phase === 'settling' ? load(state, 'file') : stay(state)
    case 'asked':
      return ask(state, event.trigger)
    case 'seen':
      return seen(state, event.generation)
    case 'own':
      return stay({ ...state, generation: event.generation })
    case 'same':
      return finish(state, [])
    case 'invalid':
      return finish({ ...state, digest: event.digest, file: 'invalid' }, [
        { do: 'report', report: { what: 'reload', trigger: state.trigger, outcome: 'invalid' } },
      ])
    case 'unplanned':
      return failed(read(state, event.digest), event.message, policy)
    case 'planned':
      return planned(state, event.plan, policy)
    case 'applied':
      return applied(state, event.generation)
    case 'stale':
      return load({ ...state, digest: undefined }, state.trigger)
    case 'failed':
      return failed(state, event.message, policy)
  }
}

function stay(state: ReloadState): ReloadStep {
  return { state, tasks: [] }
}

/** Until files have been left alone for a moment; not for ever, where something writes all the time. */
function touched(state: ReloadState, at: number, { debounceMs, maxDelayMs }: ReloadPolicy): ReloadStep {
  if (state.phase === 'loading' || state.phase === 'applying') return stay(queue(state, 'file'))
  const since = state.phase === 'settling' ? state.touchedAt : at
  const ms = Math.max(0, Math.min(debounceMs, since + maxDelayMs - at))
  return { state: { ...state, phase: 'settling', touchedAt: since }, tasks: [{ do: 'wait', ms }] }
}

function ask(state: ReloadState, trigger: Trigger): ReloadStep {
  if (state.phase === 'loading' || state.phase === 'applying') return stay(queue(state, trigger))
  if (state.phase === 'settling' && trigger === 'kernel') return stay(queue(state, trigger))
  return load(state, trigger)
}

function queue(state: ReloadState, trigger: Trigger): ReloadState {
  const { queued } = state
  return queued !== undefined && RANK[queued] >= RANK[trigger] ? state : { ...state, queued: trigger }
}

function load(state: ReloadState, trigger: Trigger): ReloadStep {
  const task: Task = {
    do: 'load',
    from: trigger === 'kernel' ? 'memory' : 'files',
    // Files that say what they said are not worth a plan; but who asks gets one.
    unless: trigger === 'file' ? state.digest : undefined,
  }
  return { state: { ...state, phase: 'loading', trigger }, tasks: [task] }
}

/** A generation that we did not make, or none: our own applies say so before anybody looks. */
function seen(state: ReloadState, generation: number): ReloadStep {
  if (state.generation === undefined || state.phase === 'loading' || state.phase === 'applying')
    return stay(state)
  if (generation === state.generation) return stay(state)
  const report: Task = { do: 'report', report: { what: 'foreign', from: state.generation, to: generation } }
  const next = ask({ ...state, generation }, 'kernel')
  return { state: next.state, tasks: [report, ...next.tasks] }
}

/** On to what came up meanwhile. */
function finish(state: ReloadState, tasks: readonly Task[]): ReloadStep {
  const { queued } = state
  const idle: ReloadState = { ...state, phase: 'idle', queued: undefined }
  if (queued === undefined) return { state: idle, tasks }
  const next = load(idle, queued)
  return { state: next.state, tasks: [...tasks, ...next.tasks] }
}

/** Files that were read, and are right. */
function read(state: ReloadState, digest: string | undefined): ReloadState {
  return digest === undefined ? state : { ...state, digest, file: 'valid' }
}

function planned(before: ReloadState, plan: Planned, policy: ReloadPolicy): ReloadStep {
  const { trigger, generation: last } = before
  const foreign: Task[] =
    last === undefined || last === plan.generation
      ? []
      : [{ do: 'report', report: { what: 'foreign', from: last, to: plan.generation } }]
  const state: ReloadState = { ...read(before, plan.digest), generation: plan.generation }
  const verdict = decide(trigger, plan, policy, state.agreement)
  const step: ReloadStep =
    verdict === 'apply'
      ? { state: { ...state, phase: 'applying' }, tasks: [{ do: 'apply' }] }
      : settle(state, verdict, plan)
  return { state: step.state, tasks: [...foreign, ...step.tasks] }
}

export type Verdict = 'apply' | 'in-sync' | 'publish' | 'refuse' | 'drift'

/** Files are applied; what others did to the kernel is not fought. */
export function decide(
  trigger: Trigger,
  plan: Pick<Planned, 'changes' | 'refused' | 'appliedBefore' | 'hostOnly'>,
  { approve, onDrift }: Pick<ReloadPolicy, 'approve' | 'onDrift'>,
  agreement: Agreement,
): Verdict {
  if (plan.changes === 0) return 'in-sync'
  const others = trigger === 'kernel' ? !isDue(agreement) : trigger === 'start' && plan.appliedBefore
  if (others && onDrift === 'report' && !plan.hostOnly) return 'drift'
  if (approve === 'manual' && !plan.hostOnly) return 'publish'
  return plan.refused ? 'refuse' : 'apply'
}

/** What the files say has yet to be put in place, whatever else was done to the kernel meanwhile. */
function isDue(agreement: Agreement): boolean {
  const { state } = agreement
  return state === 'pending' || state === 'refused' || (state === 'failed' && agreement.of === 'files')
}

const STATES = { 'in-sync': 'in-sync', publish: 'pending', refuse: 'refused', drift: 'drifted' } as const

/** There is nothing to do, or it is left to somebody. */
function settle(
  state: ReloadState,
  verdict: Exclude<Verdict, 'apply'>,
  { changes, key }: Planned,
): ReloadStep {
  const name = STATES[verdict]
  const report = settled(state, name, changes, key)
  const agreement: Agreement = name === 'in-sync' ? { state: name } : { state: name, changes, key }
  return finish({ ...state, agreement, failures: 0 }, report ? [{ do: 'report', report }] : [])
}

/** Who looks by himself says something only where it is new. */
function settled(
  { trigger, agreement: before }: ReloadState,
  now: (typeof STATES)[keyof typeof STATES],
  changes: number,
  key: string,
): Report | undefined {
  if (trigger !== 'kernel') return { what: 'reload', trigger, outcome: now === 'in-sync' ? 'unchanged' : now }
  if (now === 'in-sync') {
    if (before.state === 'in-sync' || before.state === 'unknown') return undefined
    if (isDue(before)) return { what: 'reload', trigger, outcome: 'released' }
    return { what: 'drift', state: 'gone', changes: 0 }
  }
  if ('key' in before && before.key === key) return undefined
  if (now === 'drifted') return { what: 'drift', state: 'found', changes }
  return { what: 'reload', trigger, outcome: now }
}

function applied(state: ReloadState, generation: number): ReloadStep {
  return finish({ ...state, generation, agreement: { state: 'in-sync' }, failures: 0 }, [
    { do: 'report', report: { what: 'reload', trigger: state.trigger, outcome: 'applied' } },
  ])
}

/** Tried again by itself: what is missing may come, such as an interface. */
function failed(state: ReloadState, message: string, { retryMs, maxRetryMs }: ReloadPolicy): ReloadStep {
  const { agreement: before, trigger } = state
  const of = trigger === 'kernel' && !isDue(before) ? 'kernel' : 'files'
  const known = before.state === 'failed' && before.message === message
  const quiet = known && (trigger === 'retry' || trigger === 'kernel')
  const report: Report = { what: 'reload', trigger, outcome: 'failed', message }
  const failures = state.failures + 1
  const ms = Math.min(maxRetryMs, retryMs * 2 ** Math.min(failures - 1, 16))
  return finish({ ...state, failures, agreement: { state: 'failed', of, message } }, [
    ...(quiet ? [] : [{ do: 'report', report } as const]),
    { do: 'retry', ms, trigger: of === 'kernel' ? 'kernel' : 'retry' },
  ])
}
