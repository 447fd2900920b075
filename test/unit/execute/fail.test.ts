/** Whatever call fails: the old state serves, nothing stays behind, and a new try succeeds. */
import { describe, expect, test } from 'vitest'
import { failAt, failFrom } from '../../support/fake-kernel-session.ts'
import type { Fault } from '../../support/fake-kernel-session.ts'
import { checkEnd, checkFailure, eachCall, isChange, undisturbed } from './faults.ts'
import { SCENARIOS } from './scenarios.ts'

const timeout = 120_000
/** Before anything is changed, a call fails as itself. */
const codes = ['apply-failed', 'kernel']

describe.each(SCENARIOS)('$name', (scenario) => {
  test('any call may fail', { timeout }, () => {
    const known = undisturbed(scenario)
    const check = (fault: Fault): void => checkFailure(scenario, known, fault, codes)
    expect(eachCall(known.calls, failAt, check)).toEqual([])
  })

  test('from any call on, all may fail: taking back what was done fails too', { timeout }, () => {
    const known = undisturbed(scenario)
    const check = (fault: Fault): void => checkEnd(scenario, known, fault)
    const some = (label: string, call: number): boolean => isChange(label) && call % 2 === 0
    expect(eachCall(known.calls, failFrom, check, some)).toEqual([])
  })
})
