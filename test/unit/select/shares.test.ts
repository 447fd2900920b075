import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FRESH_RUNTIME, LOAD_ONE } from '../../../src/engine/model/runtime.ts'
import type {
  BreakerState,
  DrainState,
  HealthState,
  RecoveryStep,
  TargetRuntime,
  WeightCause,
} from '../../../src/engine/model/runtime.ts'
import { factorOf } from '../../../src/engine/select/factor.ts'
import { selectionRun } from '../../../src/engine/select/run.ts'
import { effectiveShares } from '../../../src/engine/select/shares.ts'
import { weightsOf } from '../../support/arbitrary.ts'

interface State {
  readonly health: HealthState
  readonly recovery: RecoveryStep
  readonly drain: DrainState
  readonly breaker: BreakerState
  readonly load: number
}

const HEALTHY: State = { health: 'healthy', recovery: 4, drain: 'none', breaker: 'closed', load: LOAD_ONE }

const runtimeOf = ({ health, recovery, drain, breaker, load }: State): TargetRuntime => ({
  health: { ...FRESH_RUNTIME.health, state: health, recovery },
  drain: { ...FRESH_RUNTIME.drain, state: drain },
  breaker: { ...FRESH_RUNTIME.breaker, state: breaker },
  load,
})
const target = (state: Partial<State> = {}): TargetRuntime => runtimeOf({ ...HEALTHY, ...state })

function statesOf(values: { [K in keyof State]: readonly State[K][] }): State[] {
  return values.health.flatMap((health) =>
    values.recovery.flatMap((recovery) =>
      values.drain.flatMap((drain) =>
        values.breaker.flatMap((breaker) =>
          values.load.map((load) => ({ health, recovery, drain, breaker, load })),
        ),
      ),
    ),
  )
}

const ALL = statesOf({
  health: ['unknown', 'healthy', 'unhealthy'],
  recovery: [1, 2, 3, 4],
  drain: ['none', 'draining', 'completed', 'timeout'],
  breaker: ['closed', 'open', 'half-open'],
  load: [0, 1, LOAD_ONE / 2, LOAD_ONE],
})

/** The table of docs/weights.md, row by row: what each cause leaves of the weight. */
function leftBy({ health, recovery, drain, breaker, load }: State): [WeightCause, number][] {
  return [
    ['drain', drain === 'none' ? 1 : 0],
    ['breaker', { closed: 1, open: 0, 'half-open': 0.1 }[breaker]],
    ['health', health === 'unhealthy' ? 0 : 1],
    ['recovery', health === 'unhealthy' ? 1 : recovery / 4],
    ['load', load / LOAD_ONE],
  ]
}

test('what is left of a weight, and why, in every combination of states', () => {
  const wrong = ALL.filter((state) => {
    const left = leftBy(state)
    const product = left.reduce((all, [, own]) => all * own, 1)
    const least = Math.min(...left.map(([, own]) => own))
    const cause = least === 1 ? 'configured' : left.find(([, own]) => own === least)?.[0]
    const found = factorOf(runtimeOf(state))
    const near = Math.abs(found.factor - product * LOAD_ONE) <= 0.5 || (product > 0 && found.factor === 1)
    return found.cause !== cause || !near || product > 0 !== found.factor > 0
  })
  expect(wrong).toEqual([])
})

/** What each target of a list ought to have, by the documented order; independent of the composition's own code. */
function fractions(weights: readonly (number | null)[], states: readonly State[]): number[] {
  const left = states.map((state) => leftBy(state).reduce((all, [, own]) => all * own, 1))
  const kept = left.some((own) => own > 0)
    ? left
    : states.map(({ drain }) => (drain === 'none' || states.every((s) => s.drain !== 'none') ? 1 : 0))
  const products = kept.map((own, i) => own * (weights[i] ?? 1))
  const sum = products.reduce((all, product) => all + product, 0)
  return products.map((product) => product / sum)
}

const SOME = statesOf({
  health: ['healthy', 'unhealthy'],
  recovery: [1, 4],
  drain: ['none', 'draining'],
  breaker: ['closed', 'open', 'half-open'],
  load: [0, LOAD_ONE],
}).filter(({ health, recovery }) => health === 'healthy' || recovery === 4)

function complaint(weights: readonly (number | null)[], states: readonly State[]): string | undefined {
  const { shares, run } = effectiveShares(weights, states.map(runtimeOf))
  const ideal = fractions(weights, states).map((fraction) => fraction * run.length)
  const configured = selectionRun(weights)
  if (run.length !== configured.length) return `${run.length} entries`
  if (shares.reduce((sum, { entries }) => sum + entries, 0) !== run.length) return 'shares of another sum'
  // A target that is due less than an entry gets one, at the cost of others.
  const tiny = ideal.filter((due) => due > 0 && due < 1).length
  for (const [i, due] of ideal.entries()) {
    const entries = run.filter((member) => member === i).length
    if (shares[i]!.entries !== entries)
      return `target ${i}: ${shares[i]!.entries} said, ${entries} in the run`
    if (due > 1e-9 !== entries > 0) return `target ${i} has ${entries}, is due ${due}`
    if (entries < Math.max(1, Math.floor(due + 1e-9) - tiny) && due > 1e-9) return `target ${i}: ${entries}`
    if (entries > Math.max(1, Math.ceil(due - 1e-9))) return `target ${i} has ${entries}, is due ${due}`
  }
  return undefined
}

describe.each([
  [[50, 50]],
  [[1, 99]],
  [[null, null]],
  [[null]],
  [[100]],
  [[50, 30, 20]],
  [[98, 1, 1]],
  [[null, null, null]],
])('a list of %j', (weights) => {
  test('in every combination of states', { timeout: 120_000 }, () => {
    const wrong: string[] = []
    const walk = (states: readonly State[]): void => {
      if (states.length < weights.length) {
        for (const state of SOME) walk([...states, state])
        return
      }
      const found = complaint(weights, states)
      if (found !== undefined && wrong.length < 5) wrong.push(`${JSON.stringify(states)}: ${found}`)
    }
    walk([])
    expect(wrong).toEqual([])
  })
})

const entriesOf = (weights: readonly (number | null)[], runtimes: readonly TargetRuntime[]): number[] =>
  effectiveShares(weights, runtimes).shares.map(({ entries }) => entries)

describe('shares', () => {
  test('of a list whose middle one is down move in proportion', () => {
    const down = target({ health: 'unhealthy' })
    expect(entriesOf([50, 30, 20], [target(), down, target()])).toEqual([71, 0, 29])
  })

  test('come back in four steps', () => {
    const steps = ([1, 2, 3, 4] as const).map((recovery) =>
      entriesOf([50, 50], [target({ recovery }), target()]),
    )
    expect(steps).toEqual([
      [20, 80],
      [33, 67],
      [43, 57],
      [50, 50],
    ])
  })

  test('are as configured where all are down', () => {
    const down = target({ health: 'unhealthy' })
    expect(effectiveShares([50, 30, 20], [down, down, down])).toMatchObject({
      run: selectionRun([50, 30, 20]),
      shares: [{ cause: 'fallback' }, { cause: 'fallback' }, { cause: 'fallback' }],
    })
  })

  test('are for those that are down rather than for those that are drained', () => {
    const down = target({ health: 'unhealthy' })
    const drained = target({ drain: 'completed' })
    const { shares } = effectiveShares([50, 30, 20], [down, drained, down])
    expect(shares).toEqual([
      { factor: LOAD_ONE, cause: 'fallback', entries: 71 },
      { factor: 0, cause: 'drain', entries: 0 },
      { factor: LOAD_ONE, cause: 'fallback', entries: 29 },
    ])
    expect(entriesOf([50, 30, 20], [drained, drained, drained])).toEqual([50, 30, 20])
  })

  test('of one target are all there is, whatever is known of it', () => {
    for (const state of ALL) expect(effectiveShares([null], [runtimeOf(state)]).run).toEqual([0])
  })
})

const lists = fc.oneof(
  fc.integer({ min: 1, max: 40 }).chain(weightsOf),
  fc.integer({ min: 1, max: 300 }).map((count) => new Array<null>(count).fill(null)),
)
const anyState: fc.Arbitrary<State> = fc.constantFrom(...ALL)

describe('random lists', () => {
  test('with nothing taken off have the run that is configured', () => {
    fc.assert(
      fc.property(lists, (weights) => {
        const whole = weights.map(() => target({ health: 'unknown' }))
        expect(effectiveShares(weights, whole).run).toEqual(selectionRun(weights))
      }),
    )
  })

  test('keep their length, and no target with a factor loses all its entries', () => {
    fc.assert(
      fc.property(
        lists.chain((weights) =>
          fc.tuple(
            fc.constant(weights),
            fc.array(anyState, { minLength: weights.length, maxLength: weights.length }),
          ),
        ),
        ([weights, states]) => {
          const { run, shares } = effectiveShares(weights, states.map(runtimeOf))
          expect(run).toHaveLength(selectionRun(weights).length)
          for (const [i, { factor, entries }] of shares.entries()) {
            expect([i, entries > 0]).toEqual([i, factor > 0])
          }
        },
      ),
    )
  })

  test('do not depend on the order in which their targets stand', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), anyState), {
      minLength: 2,
      maxLength: 6,
    })
    fc.assert(
      fc.property(pairs, (given) => {
        const shares = (list: typeof given) =>
          effectiveShares(
            list.map(([weight]) => weight),
            list.map(([, state]) => runtimeOf(state)),
          ).shares.map(({ factor, cause }) => `${factor} ${cause}`)
        expect(shares([...given].reverse()).reverse()).toEqual(shares(given))
      }),
    )
  })
})
