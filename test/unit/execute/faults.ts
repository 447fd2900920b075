/** Every call of a scenario made to fail, or to be the last. */
import { isDeepStrictEqual } from 'node:util'
import { LbError } from '../../../src/engine/model/errors.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'
import { inventory, packetView } from '../../support/fake-kernel-inventory.ts'
import type { HookView } from '../../support/fake-kernel-inventory.ts'
import type { Fault } from '../../support/fake-kernel-session.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'
import { LATER } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'
import { applying, deploy, liveOf, must } from './support.ts'

/** A scenario that nothing happens to, and the host before, after, and after what comes next. */
export interface Undisturbed {
  readonly calls: readonly string[]
  readonly before: FakeState
  /** What there is before, afterwards, and after one more apply. */
  readonly then: readonly string[]
  readonly now: readonly string[]
  readonly later: readonly string[]
  readonly oldView: readonly HookView[]
  readonly newView: readonly HookView[]
}

export function undisturbed(scenario: Scenario): Undisturbed {
  const before = scenario.before()
  const after = structuredClone(before)
  const { kernel, outcome } = scenario.act(after, {})
  if (outcome instanceof Error) throw outcome
  return {
    calls: kernel.session.calls,
    before,
    then: inventory(before),
    now: inventory(after),
    later: goOn(scenario, after),
    oldView: packetView(before),
    newView: packetView(after),
  }
}

/** What there is after a next apply. */
function goOn({ options = {} }: Scenario, state: FakeState): string[] {
  const next = structuredClone(state)
  must(next, applying(LATER, options))
  return inventory(next)
}

function require(condition: boolean, complaint: string): void {
  if (!condition) throw new Error(complaint)
}

function requireSame(found: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(found, expected)) return
  const lines = (value: unknown): string[] =>
    Array.isArray(value) ? value.map((v) => JSON.stringify(v)) : [JSON.stringify(value)]
  const [left, right] = [lines(found), lines(expected)]
  const only = (a: string[], b: string[]): string =>
    a
      .filter((line) => !b.includes(line))
      .join('\n    ')
      .slice(0, 1500)
  throw new Error(`${what}:\n  found\n    ${only(left, right)}\n  expected\n    ${only(right, left)}`)
}

/** Calls in turn; `[]` where all is as it should be, otherwise what is not, call by call. */
export function eachCall(
  calls: readonly string[],
  faultAt: (call: number) => Fault,
  check: (fault: Fault) => void,
  isOfInterest: (label: string, call: number) => boolean = () => true,
): string[] {
  return calls.flatMap((label, i) => {
    if (!isOfInterest(label, i + 1)) return []
    try {
      check(faultAt(i + 1))
      return []
    } catch (error) {
      const complaint = error instanceof Error ? error.message : String(error)
      return [`call ${i + 1} of ${calls.length} (${label}): ${complaint}`]
    }
  })
}

/** Killed before a call that only looks is killed before the next one that changes something. */
export function isChange(label: string): boolean {
  return !/^(list|open|look up|read|describe) /.test(label)
}

/** Whether what is live is `snapshot` on that host; `undefined` stands for nothing applied. */
function isLive(state: FakeState, snapshot: Snapshot | undefined): boolean {
  return liveIs(liveOf(state), state, snapshot)
}

function liveIs(
  { deployment, generation }: LiveState,
  state: FakeState,
  snapshot: Snapshot | undefined,
): boolean {
  if (snapshot === undefined) return generation === 0
  return generation > 0 && isDeepStrictEqual(deployment, deploy(state, snapshot))
}

/**
 * Interface, direction and tables, whatever version the programs are of: where XDP changes its mode, tcx
 * stands in for it.
 */
const served = (view: readonly HookView[]): Map<string, string> =>
  new Map(view.map(({ hook, tables }) => [hook.replace(/ (xdp|xdp-generic|tcx-ingress)$/, ' in'), tables]))

/** Every interface of `wanted` meets what it met there, both ways; and no two meet different tables. */
function requireServes(state: FakeState, wanted: readonly HookView[], what: string): void {
  const found = served(packetView(state))
  for (const [place, tables] of served(wanted)) requireSame(found.get(place), tables, `${what} at ${place}`)
  const different = new Set(packetView(state).map((view) => view.tables))
  require(different.size <= 1, 'packets meet different generations at different hooks')
}

/** A failed operation: the old state serves as before, or, after the flip, the new one. */
export function checkFailure(
  scenario: Scenario,
  known: Undisturbed,
  fault: Fault,
  codes: readonly string[],
): void {
  const state = structuredClone(known.before)
  const { kernel, outcome } = scenario.act(state, { fault })
  require(kernel.session.open.size === 0, 'descriptors are left open')
  if (outcome instanceof Error) {
    if (!(outcome instanceof LbError)) throw outcome
    require(codes.includes(outcome.code), `code ${outcome.code}: ${outcome.message}`)
    if (scenario.to !== undefined || !isLive(state, undefined)) requireAsBefore(scenario, known, state)
  } else {
    require(isLive(state, scenario.to), 'it says it is done, but the new state is not live')
    requireServes(state, known.newView, 'not served as it should')
  }
  finish(scenario, known, state)
}

function requireAsBefore(scenario: Scenario, known: Undisturbed, state: FakeState): void {
  require(isLive(state, scenario.from), 'the old state is not live')
  requireServes(state, known.oldView, 'not served as before')
  requireSame(liveOf(state).drift, [], 'drift')
  const hooks = (views: readonly HookView[]): string[] => views.map(({ hook }) => hook)
  requireSame(hooks(packetView(state)), hooks(known.oldView), 'attached otherwise than before')
}

/** A process that was killed, or that could do nothing any more: one of the two states, whole. */
export function checkEnd(scenario: Scenario, known: Undisturbed, fault: Fault): void {
  const state = structuredClone(known.before)
  const { kernel } = scenario.act(state, { fault })
  require(kernel.session.open.size === 0, 'descriptors are left open')
  const live = liveOf(state)
  const isNew = liveIs(live, state, scenario.to)
  require(isNew || liveIs(live, state, scenario.from), 'neither the old nor the new state is live')
  requireServes(
    state,
    isNew ? known.newView : known.oldView,
    isNew ? 'not the new state' : 'not the old state',
  )
  finish(scenario, known, state)
}

/** The next try succeeds, and in the end there is what there would have been. */
function finish(scenario: Scenario, known: Undisturbed, state: FakeState): void {
  // Then the next try is that of the scenario that nothing happens to.
  if (isDeepStrictEqual(inventory(state), known.then)) return
  must(state, scenario.act)
  requireServes(state, known.newView, 'the next try does not serve as it should')
  // What was left for the next command to clean up, the next apply cleans up.
  if (isDeepStrictEqual(inventory(state), known.now)) return
  requireSame(goOn(scenario, state), known.later, 'after one more apply there is not what there should be')
}
