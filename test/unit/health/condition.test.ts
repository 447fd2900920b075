import { describe, expect, test } from 'vitest'
import { describeTally, holds, parseCondition } from '../../../src/engine/health/condition.ts'
import type { Tally } from '../../../src/engine/health/condition.ts'

const tally = (over: Partial<Tally>): Tally => ({ targets: 4, unhealthy: 0, requests: 0, errors: 0, ...over })

describe('a condition', () => {
  test.each([
    ['healthy < 50%', 'healthy < 50%'],
    ['  HEALTHY<=2 ', 'healthy <= 2'],
    ['unhealthy >= 2', 'unhealthy >= 2'],
    ['unhealthy>0', 'unhealthy > 0'],
    ['errors > 0.5 %', 'errors > 0.5%'],
    ['healthy < 100%', 'healthy < 100%'],
    ['healthy <= 0', 'healthy <= 0'],
  ])('%j is read', (source, text) => expect(parseCondition(source).text).toBe(text))

  test.each([
    ['', 'it is not a quantity, a comparison and a number'],
    ['healthy', 'it is not a quantity, a comparison and a number'],
    ['healthy < fifty', 'it is not a quantity, a comparison and a number'],
    ['healthy < 50% or errors > 1', 'it is not a quantity, a comparison and a number'],
    ['helthy < 50%', "there is no quantity 'helthy', only healthy, unhealthy and errors"],
    ['healthy < 101%', 'there are no more than 100%'],
    ['unhealthy > 1.5', '1.5 is no whole number, and no percentage'],
    ['healthy > 50%', "'healthy >' would go back while all is well; healthy takes < or <="],
    ['unhealthy < 2', "'unhealthy <' would go back while all is well; unhealthy takes > or >="],
    ['errors = 2', "'errors =' would go back while all is well; errors takes > or >="],
    ['healthy <= 100%', 'that is so while all is well'],
    ['unhealthy >= 0', 'that is so while all is well'],
    ['errors >= 0%', 'that is so while all is well'],
    ['healthy < 0', 'that can never be'],
    ['unhealthy > 100%', 'that can never be'],
  ])('%j is refused', (source, why) => {
    expect(() => parseCondition(source)).toThrow(`condition '${source}': ${why}`)
  })

  test.each<[string, Partial<Tally>, boolean]>([
    ['healthy < 50%', { unhealthy: 2 }, false],
    ['healthy < 50%', { unhealthy: 3 }, true],
    ['healthy <= 50%', { unhealthy: 2 }, true],
    ['healthy < 3', { unhealthy: 1 }, false],
    ['healthy < 3', { unhealthy: 2 }, true],
    ['unhealthy >= 2', { unhealthy: 1 }, false],
    ['unhealthy >= 2', { unhealthy: 2 }, true],
    ['unhealthy > 0%', { unhealthy: 1 }, true],
    ['unhealthy > 33.3%', { targets: 3, unhealthy: 1 }, true],
    ['unhealthy > 33.4%', { targets: 3, unhealthy: 1 }, false],
    ['errors > 5%', { requests: 100, errors: 5 }, false],
    ['errors > 5%', { requests: 100, errors: 6 }, true],
    ['errors > 5%', { requests: 9, errors: 9 }, false],
    ['errors > 5%', { requests: 10, errors: 9 }, true],
    ['errors >= 1', { requests: 1, errors: 1 }, true],
    ['healthy < 50%', { targets: 0 }, false],
  ])('%j of %j: %j', (source, seen, expected) => {
    expect(holds(parseCondition(source), tally(seen))).toBe(expected)
  })

  test('says what was seen', () => {
    const seen = tally({ unhealthy: 3, requests: 20, errors: 7 })
    expect(describeTally(parseCondition('healthy < 50%'), seen)).toBe('1 of 4 targets healthy')
    expect(describeTally(parseCondition('unhealthy > 0'), seen)).toBe('3 of 4 targets unhealthy')
    expect(describeTally(parseCondition('errors > 5%'), seen)).toBe('7 of 20 requests failed')
  })
})
