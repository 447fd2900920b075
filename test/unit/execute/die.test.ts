/** Whenever the process is killed: one state serves, whole, and the next command cleans up. */
import { describe, expect, test } from 'vitest'
import { dieAt } from '../../support/fake-kernel-session.ts'
import type { Fault } from '../../support/fake-kernel-session.ts'
import { checkEnd, eachCall, isChange, undisturbed } from './faults.ts'
import { SCENARIOS } from './scenarios.ts'

describe.each(SCENARIOS)('$name', (scenario) => {
  test('any call may be the last', { timeout: 120_000 }, () => {
    const known = undisturbed(scenario)
    const check = (fault: Fault): void => checkEnd(scenario, known, fault)
    expect(eachCall(known.calls, dieAt, check, isChange)).toEqual([])
  })
})
