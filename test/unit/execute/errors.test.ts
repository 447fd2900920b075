/** What a failed command says. */
import { describe, expect, test } from 'vitest'
import { apply } from '../../../src/engine/execute/apply.ts'
import { rollback } from '../../../src/engine/execute/rollback.ts'
import type { LbError } from '../../../src/engine/model/errors.ts'
import { failFrom, failOn } from '../../support/fake-kernel-session.ts'
import type { Fault } from '../../support/fake-kernel-session.ts'
import { fakeState } from '../../support/fake-kernel-state.ts'
import type { FakeState } from '../../support/fake-kernel-state.ts'
import { applying, fresh, liveOf, must, planFor, proxy, quiet, rollingBack, snapshotOf } from './support.ts'

const one = snapshotOf([proxy('web')])
const two = snapshotOf([proxy('web', { weights: [20, 80] })])
const onEth1 = snapshotOf([proxy('web', { interfaces: ['eth0', 'eth1'] })], { eth1: 'xdp' })

function applied(): FakeState {
  const state = fakeState()
  must(state, applying(one))
  return state
}

function errorOf(action: () => unknown): LbError {
  try {
    action()
  } catch (error) {
    return error as LbError
  }
  throw new Error('it did not fail')
}

const failing = (state: FakeState, fault: Fault, wanted = two): LbError =>
  errorOf(() => apply(fresh(state, { fault }), planFor(state, wanted), quiet))

describe('an apply that fails', () => {
  test('says why, and that the old state serves', () => {
    const error = failing(applied(), failOn(/^put a map into/))
    expect(error.code).toBe('apply-failed')
    expect(error.message).toMatch(
      /^the apply failed: made to fail at call \d+: put a map into manifest#\d+ \(EIO\); generation 1 serves, verified$/,
    )
  })

  test('on a new host says that nothing is applied', () => {
    const error = failing(fakeState(), failOn(/^attach/), one)
    expect(error.message).toMatch(
      /^the apply failed: interface eth0, hook xdp: .*; nothing is applied, as before, verified$/,
    )
  })

  test('because of an interface says which hook, and what to do', () => {
    const state = applied()
    const error = failing(state, () => undefined, onEth1)
    expect(error.code).toBe('apply-failed')
    expect(error.message).toContain(
      'interface eth1, hook xdp: attach to eth1 (EOPNOTSUPP); generation 1 serves',
    )
    expect(error.hint).toContain('attach: tcx')
    expect(liveOf(state)).toMatchObject({ generation: 1, drift: [] })
  })

  test('for want of rights keeps the hint about them', () => {
    const state = applied()
    const world = fresh(state)
    const refused = Object.assign(
      errorOf(() => world.kernel.fs.makeDirectory('/tmp/x')),
      { hint: 'be root' },
    )
    const kernel = {
      ...world.kernel,
      createMap: () => {
        throw refused
      },
    }
    const error = errorOf(() => apply({ ...world, kernel }, planFor(state, two), quiet))
    expect(error).toMatchObject({ code: 'apply-failed', hint: 'be root' })
    expect(error.message).toMatch(/^\/tmp\/x is in no bpf file system; generation 1 serves, verified$/)
  })

  test('and cannot be taken back says so', () => {
    const state = applied()
    const { calls } = applying(two)(structuredClone(state), {}).kernel.session
    const flip = calls.findLastIndex((label) => label.startsWith('update active'))
    const error = failing(state, failFrom(flip + 2))
    expect(error.code).toBe('apply-broken')
    expect(error.message).toMatch(/^the apply failed \(.*\) and the old state could not be restored: .*EIO/)
    expect(error.hint).toContain('`lb plan` shows what is live')
  })

  test('when all that is left is to clean up, has not failed', () => {
    const state = applied()
    const steps: string[] = []
    const result = apply(fresh(state, { fault: failOn(/^rename/) }), planFor(state, two), {
      ...quiet,
      onStep: (step, detail) => void steps.push(`${step}: ${detail}`),
    })
    expect(result.generation).toBe(2)
    expect(steps.at(-1)).toMatch(/^prune: left for the next command to clean up: made to fail/)
    expect(liveOf(state)).toMatchObject({ generation: 2, drift: [] })
  })
})

describe('a rollback that fails', () => {
  function twice(): FakeState {
    const state = applied()
    must(state, applying(two))
    return state
  }
  const failingBack = (state: FakeState, fault: Fault): LbError =>
    errorOf(() => rollback(fresh(state, { fault }), 1, () => undefined))

  test('says why, and that the old state serves', () => {
    const error = failingBack(twice(), failOn(/^update active/))
    expect(error.code).toBe('apply-failed')
    expect(error.message).toMatch(/^the rollback failed: made to fail .*; generation 2 serves, verified$/)
  })

  test('and cannot be taken back says so', () => {
    const state = twice()
    const { calls } = rollingBack(1)(structuredClone(state), {}).kernel.session
    const flip = calls.findLastIndex((label) => label.startsWith('update active'))
    const error = failingBack(state, failFrom(flip + 2))
    expect(error.code).toBe('apply-broken')
    expect(error.message).toMatch(/^the rollback failed \(.*\) and the old state could not be restored/)
  })
})
