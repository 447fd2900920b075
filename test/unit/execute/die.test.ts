/** Whenever the process is killed: one state serves, whole, and the next command cleans up. */
import { describe, expect, test } from 'vitest'
import { dieAt } from '../../support/fake-kernel-session.ts'
import { checkEnd, eachCall, undisturbed, upgradeCalls } from './faults.ts'
import { GROWTH, SCENARIOS } from './scenarios.ts'

const timeout = 120_000

describe.each(SCENARIOS)('$name', (scenario) => {
  test('any call may be the last', { timeout }, () => {
    const known = undisturbed(scenario)
    expect(eachCall(known.calls, dieAt, (fault) => checkEnd(scenario, known, fault))).toEqual([])
  })
})

test('any call may be the last while maps grow', { timeout }, () => {
  const known = undisturbed(GROWTH)
  const check = (fault: ReturnType<typeof dieAt>): void => checkEnd(GROWTH, known, fault)
  expect(eachCall(known.calls, dieAt, check, upgradeCalls(known.calls))).toEqual([])
})
