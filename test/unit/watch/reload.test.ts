import { expect, test } from 'vitest'
import { decide, INITIAL, reload, type Verdict } from '../../../src/engine/watch/reload.ts'
import type {
  Agreement,
  Planned,
  ReloadEvent,
  ReloadPolicy,
  ReloadState,
  Task,
  Trigger,
} from '../../../src/engine/watch/types.ts'

const policy: ReloadPolicy = {
  approve: 'auto',
  onDrift: 'report',
  debounceMs: 100,
  maxDelayMs: 1000,
  retryMs: 1000,
  maxRetryMs: 30_000,
}

/** Plays events; gives what is to be done after each, in words, and where it ends. */
function play(events: readonly ReloadEvent[], over: Partial<ReloadPolicy> = {}, from: ReloadState = INITIAL) {
  let state = from
  const said = events.map((event) => {
    const step = reload(state, event, { ...policy, ...over })
    state = step.state
    return step.tasks.map(words).join(', ')
  })
  return { said, state }
}

function words(task: Task): string {
  switch (task.do) {
    case 'wait':
      return `wait ${task.ms}`
    case 'retry':
      return `${task.trigger} in ${task.ms}`
    case 'load':
      return `load ${task.from}${task.unless === undefined ? '' : ` unless ${task.unless}`}`
    case 'apply':
      return 'apply'
    case 'report':
      break
  }
  const { report } = task
  if (report.what === 'foreign') return `foreign ${report.from}→${report.to}`
  if (report.what === 'drift') return `drift ${report.state}`
  return `${report.trigger} ${report.outcome}`
}

const touched = (at: number): ReloadEvent => ({ on: 'touched', at })
const settled: ReloadEvent = { on: 'settled' }
const asked = (trigger: Exclude<Trigger, 'file'>): ReloadEvent => ({ on: 'asked', trigger })
const same: ReloadEvent = { on: 'same' }
const invalid = (digest: string): ReloadEvent => ({ on: 'invalid', digest })
const plan = (over: Partial<Planned>): ReloadEvent => ({
  on: 'planned',
  plan: {
    digest: undefined,
    changes: 1,
    generation: 1,
    key: 'k',
    refused: false,
    appliedBefore: false,
    hostOnly: false,
    ...over,
  },
})
const applied = (generation: number): ReloadEvent => ({ on: 'applied', generation })
const seen = (generation: number): ReloadEvent => ({ on: 'seen', generation })
const failed = (message: string): ReloadEvent => ({ on: 'failed', message })

/** One who has applied generation 1 from files of digest `a`. */
const running = play([asked('start'), plan({ digest: 'a', generation: 0 }), applied(1)]).state

test('a start loads, applies what changes, and is in sync', () => {
  const { said } = play([asked('start'), plan({ digest: 'a', generation: 0 }), applied(1)])
  expect(said).toEqual(['load files', 'apply', 'start applied'])
  expect(running).toMatchObject({
    phase: 'idle',
    generation: 1,
    file: 'valid',
    agreement: { state: 'in-sync' },
  })
  expect(play([asked('start'), plan({ changes: 0 })]).said).toEqual(['load files', 'start unchanged'])
})

test('changes are waited out, but not for ever', () => {
  const { said } = play([0, 50, 140, 920, 990, 1000, 1400].map(touched), {}, running)
  expect(said).toEqual(['wait 100', 'wait 100', 'wait 100', 'wait 80', 'wait 10', 'wait 0', 'wait 0'])
})

test('files that say what they said are not planned again', () => {
  expect(play([touched(0), settled, same], {}, running).said).toEqual(['wait 100', 'load files unless a', ''])
  expect(play([asked('signal'), plan({ digest: 'a', changes: 0 })], {}, running).said).toEqual([
    'load files',
    'signal unchanged',
  ])
})

test('a bad file changes nothing, is reported once, and is known to be bad until it is not', () => {
  const bad = play([touched(0), settled, invalid('b'), touched(500), settled, same], {}, running)
  expect(bad.said).toEqual([
    'wait 100',
    'load files unless a',
    'file invalid',
    'wait 100',
    'load files unless b',
    '',
  ])
  expect(bad.state).toMatchObject({ file: 'invalid', agreement: { state: 'in-sync' }, generation: 1 })
  const looked = play([asked('kernel'), plan({ changes: 0 })], {}, bad.state)
  expect(looked.said).toEqual(['load memory', ''])
  expect(looked.state.file).toBe('invalid')
  const good = play([touched(0), settled, plan({ digest: 'a', changes: 0 })], {}, bad.state)
  expect(good.said.at(-1)).toBe('file unchanged')
  expect(good.state.file).toBe('valid')
})

test('what comes up during a load or an apply is done after it, the most wanted first', () => {
  const { said } = play(
    [
      asked('signal'),
      touched(10),
      plan({ digest: 'b' }),
      touched(20),
      asked('kernel'),
      applied(2),
      plan({ digest: 'c', generation: 2 }),
      asked('request'),
      touched(30),
      failed('no'),
    ],
    {},
    running,
  )
  expect(said).toEqual([
    'load files',
    '',
    'apply',
    '',
    '',
    'signal applied, load files unless b',
    'apply',
    '',
    '',
    'file failed, retry in 1000, load files',
  ])
})

test('a plan that has become stale is made again, also where the files are the same', () => {
  const { said } = play([touched(0), settled, plan({ digest: 'b' }), { on: 'stale' }], {}, running)
  expect(said.slice(2)).toEqual(['apply', 'load files'])
})

test('an apply or rollback by somebody else is adopted, and reported as drift once', () => {
  const { said, state } = play(
    [seen(1), seen(2), plan({ generation: 2 }), seen(2), asked('kernel'), plan({ generation: 2 })],
    {},
    running,
  )
  expect(said).toEqual(['', 'foreign 1→2, load memory', 'drift found', '', 'load memory', ''])
  expect(state.agreement).toMatchObject({ state: 'drifted', changes: 1 })
  // Back in place by hand.
  expect(play([seen(3), plan({ changes: 0, generation: 3 })], {}, state).said).toEqual([
    'foreign 2→3, load memory',
    'drift gone',
  ])
  // A file that changes is news, and applied.
  const edited = play([touched(0), settled, plan({ digest: 'b', generation: 2 }), applied(3)], {}, state)
  expect(edited.said).toEqual(['wait 100', 'load files unless a', 'apply', 'file applied'])
})

test('a generation that others make while files settle is looked at after them', () => {
  const { said } = play([touched(0), seen(2), settled, same, plan({ generation: 2 })], {}, running)
  expect(said).toEqual(['wait 100', 'foreign 1→2', 'load files unless a', 'load memory', 'drift found'])
})

test('onDrift: reconcile puts right what others did', () => {
  const { said } = play(
    [seen(2), plan({ generation: 2 }), applied(3), seen(3)],
    { onDrift: 'reconcile' },
    running,
  )
  expect(said).toEqual(['foreign 1→2, load memory', 'apply', 'kernel applied', ''])
})

test('our own generations are not somebody else’s', () => {
  expect(play([{ on: 'own', generation: 2 }, seen(2)], {}, running).said).toEqual(['', ''])
})

test('--approve manual publishes a plan, until somebody releases it', () => {
  const manual = { approve: 'manual' } as const
  const waiting = play([touched(0), settled, plan({ digest: 'b' })], manual, running)
  expect(waiting.said.at(-1)).toBe('file pending')
  expect(waiting.state.agreement).toMatchObject({ state: 'pending', changes: 1 })
  const released = play([seen(2), plan({ changes: 0, generation: 2 })], manual, waiting.state)
  expect(released.said).toEqual(['foreign 1→2, load memory', 'kernel released'])
  // Something else was applied: it still waits, with a new plan.
  const other = play([seen(2), plan({ changes: 3, generation: 2, key: 'l' })], manual, waiting.state)
  expect(other.said).toEqual(['foreign 1→2, load memory', 'kernel pending'])
})

test('what a guard refuses waits for somebody', () => {
  const { said, state } = play([touched(0), settled, plan({ digest: 'b', refused: true })], {}, running)
  expect(said.at(-1)).toBe('file refused')
  expect(play([asked('kernel'), plan({ refused: true })], {}, state).said).toEqual(['load memory', ''])
})

test('what fails is tried again, later and later, and said once', () => {
  const unplanned: ReloadEvent = { on: 'unplanned', digest: 'b', message: 'no eth1' }
  const tries = Array.from({ length: 7 }, () => [asked('retry'), unplanned]).flat()
  const { said, state } = play([touched(0), settled, unplanned, ...tries], {}, running)
  expect(said[2]).toBe('file failed, retry in 1000')
  expect(said.slice(3).filter((text) => text.startsWith('retry'))).toEqual(
    [2, 4, 8, 16, 30, 30, 30].map((seconds) => `retry in ${seconds * 1000}`),
  )
  const better = play([asked('retry'), plan({ digest: 'b' }), applied(2)], {}, state)
  expect(better.said).toEqual(['load files', 'apply', 'retry applied'])
  expect(better.state.failures).toBe(0)
})

test('a look at the kernel that fails leads to another look, and not to an apply', () => {
  const { said } = play(
    [asked('kernel'), { on: 'unplanned', digest: undefined, message: 'no' }, asked('kernel'), plan({})],
    {},
    running,
  )
  expect(said).toEqual(['load memory', 'kernel failed, kernel in 1000', 'load memory', 'drift found'])
})

const agreements: Record<string, Agreement> = {
  'in-sync': { state: 'in-sync' },
  drifted: { state: 'drifted', changes: 1, key: 'k' },
  pending: { state: 'pending', changes: 1, key: 'k' },
  'failed files': { state: 'failed', of: 'files', message: '' },
  'failed kernel': { state: 'failed', of: 'kernel', message: '' },
}

/** Trigger, what the plan is like, how things stood → verdict under each of the four policies. */
const table: readonly [Trigger, Partial<Planned>, string, string][] = [
  // auto/report, auto/reconcile, manual/report, manual/reconcile
  ['file', { changes: 0 }, 'drifted', 'in-sync in-sync in-sync in-sync'],
  ['file', {}, 'in-sync', 'apply apply publish publish'],
  ['file', {}, 'drifted', 'apply apply publish publish'],
  ['file', { refused: true }, 'in-sync', 'refuse refuse publish publish'],
  ['signal', {}, 'drifted', 'apply apply publish publish'],
  ['start', {}, 'in-sync', 'apply apply publish publish'],
  ['start', { appliedBefore: true }, 'in-sync', 'drift apply drift publish'],
  ['file', { appliedBefore: true }, 'in-sync', 'apply apply publish publish'],
  ['kernel', {}, 'in-sync', 'drift apply drift publish'],
  ['kernel', {}, 'drifted', 'drift apply drift publish'],
  ['kernel', {}, 'pending', 'apply apply publish publish'],
  ['kernel', { refused: true }, 'pending', 'refuse refuse publish publish'],
  ['kernel', {}, 'failed files', 'apply apply publish publish'],
  ['kernel', {}, 'failed kernel', 'drift apply drift publish'],
  ['kernel', { hostOnly: true }, 'in-sync', 'apply apply apply apply'],
  ['retry', {}, 'failed files', 'apply apply publish publish'],
]

test.for(table)('%s with %j when %s: %s', ([trigger, over, stood, expected]) => {
  const base = { changes: 1, refused: false, appliedBefore: false, hostOnly: false, ...over }
  const verdicts: Verdict[] = (['auto', 'manual'] as const).flatMap((approve) =>
    (['report', 'reconcile'] as const).map((onDrift) =>
      decide(trigger, base, { approve, onDrift }, agreements[stood]!),
    ),
  )
  expect(verdicts.join(' ')).toBe(expected)
})
