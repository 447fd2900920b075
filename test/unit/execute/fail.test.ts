/** Whatever call fails: the old state serves, nothing stays behind, and a new try succeeds. */
import { describe, expect, test } from 'vitest'
import { failAt, failFrom } from '../../support/fake-kernel-session.ts'
import type { Fault } from '../../support/fake-kernel-session.ts'
import { checkEnd, checkFailure, eachCall, undisturbed, upgradeCalls } from './faults.ts'
import { GROWTH, SCENARIOS } from './scenarios.ts'

const timeout = 120_000
/** Before anything is changed, a call fails as itself. */
const codes = ['apply-failed', 'kernel']

describe.each(SCENARIOS)('$name', (scenario) => {
  test('any call may fail', { timeout }, () => {
    const known = undisturbed(scenario)
    const check = (fault: Fault): void => checkFailure(scenario, known, fault, codes)
    expect(eachCall(known.calls, failAt, check)).toEqual([])
  })

  test('from any call on, all may fail', { timeout }, () => {
    const known = undisturbed(scenario)
    const check = (fault: Fault): void => checkEnd(scenario, known, fault)
    // Taking back what was done fails too; that every place is one to begin at is tested by deaths.
    expect(eachCall(known.calls, failFrom, check, (call) => call % 5 === 0)).toEqual([])
  })
})

test('any call may fail while maps grow', { timeout }, () => {
  const known = undisturbed(GROWTH)
  const check = (fault: Fault): void => checkFailure(GROWTH, known, fault, codes)
  expect(eachCall(known.calls, failAt, check, upgradeCalls(known.calls))).toEqual([])
})
