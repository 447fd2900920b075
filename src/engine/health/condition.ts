/** When a new generation is to go: `healthy < 50%`, `unhealthy >= 2`, `errors > 5%`. Pure. */
import { LbError } from '../model/errors.ts'

export type Quantity = 'healthy' | 'unhealthy' | 'errors'
export type Comparison = '<' | '<=' | '>' | '>='

export interface Condition {
  readonly what: Quantity
  readonly than: Comparison
  readonly amount: number
  /** Of all targets, or of all requests. */
  readonly percent: boolean
  /** In canonical form. */
  readonly text: string
}

/** What has been seen of the targets since the generation serves. */
export interface Tally {
  readonly targets: number
  readonly unhealthy: number
  /** Connections whose fate is known: established, refused, timed out. */
  readonly requests: number
  readonly errors: number
}

/** Of fewer requests, no share is taken: the first one that fails would be all of them. */
export const LEAST_REQUESTS = 10

const FORM = /^\s*([a-z]+)\s*(<=|>=|==?|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*$/i
const HINT = "like 'healthy < 50%', 'unhealthy >= 2' or 'errors > 5%'"

/** @throws LbError `usage`, saying what is wrong with it */
export function parseCondition(source: string): Condition {
  const wrong = (why: string): LbError =>
    new LbError('usage', `condition '${source}': ${why}`, { hint: HINT })
  const [, word = '', sign = '', digits = '', unit = ''] = FORM.exec(source) ?? []
  if (word === '') throw wrong('it is not a quantity, a comparison and a number')
  const what = word.toLowerCase()
  if (what !== 'healthy' && what !== 'unhealthy' && what !== 'errors') {
    throw wrong(`there is no quantity '${word}', only healthy, unhealthy and errors`)
  }
  const percent = unit === '%'
  const amount = Number(digits)
  if (percent && amount > 100) throw wrong('there are no more than 100%')
  if (!percent && !Number.isInteger(amount)) throw wrong(`${digits} is no whole number, and no percentage`)
  const wanted: readonly string[] = what === 'healthy' ? ['<', '<='] : ['>', '>=']
  if (!wanted.includes(sign)) {
    throw wrong(`'${what} ${sign}' would go back while all is well; ${what} takes ${wanted.join(' or ')}`)
  }
  const than = sign as Comparison
  const condition = { what, than, amount, percent, text: `${what} ${than} ${amount}${unit}` } as const
  if (!canHold(condition)) throw wrong('that can never be')
  if (percent && holds(condition, { targets: 1, unhealthy: 0, requests: LEAST_REQUESTS, errors: 0 })) {
    throw wrong('that is so while all is well')
  }
  if (!percent && than === '>=' && amount === 0) throw wrong('that is so while all is well')
  return condition
}

function canHold({ than, amount, percent }: Omit<Condition, 'text'>): boolean {
  if (than === '<') return amount > 0
  return than !== '>' || !percent || amount < 100
}

/** A target that has not been checked yet counts as healthy, as it does where weights are composed. */
export function holds({ what, than, amount, percent }: Omit<Condition, 'text'>, tally: Tally): boolean {
  const { value, whole } = measure(what, tally)
  if (percent && (whole === 0 || (what === 'errors' && whole < LEAST_REQUESTS))) return false
  // Without a division, which could round.
  const [left, right] = percent ? [value * 100, amount * whole] : [value, amount]
  switch (than) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

/** `1 of 3 targets healthy`. */
export function describeTally({ what }: Condition, tally: Tally): string {
  const { value, whole } = measure(what, tally)
  return what === 'errors'
    ? `${value} of ${whole} requests failed`
    : `${value} of ${whole} target${whole === 1 ? '' : 's'} ${what}`
}

function measure(
  what: Quantity,
  { targets, unhealthy, requests, errors }: Tally,
): { value: number; whole: number } {
  if (what === 'errors') return { value: errors, whole: requests }
  return { value: what === 'healthy' ? targets - unhealthy : unhealthy, whole: targets }
}
