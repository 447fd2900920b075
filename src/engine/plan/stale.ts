/** A plan whose live state has moved: says what moved. */
import { LbError } from '../model/errors.ts'
import type { LiveState } from '../model/live.ts'
import type { ExecutablePlan } from '../model/plan.ts'
import { resourcesOf } from '../model/resource.ts'
import { diff } from './diff.ts'

const SHOWN = 10

export function staleness({ plan, base }: ExecutablePlan, live: LiveState): LbError {
  const moved = diff(resourcesOf(base), resourcesOf(live.deployment)).map(({ address }) => address)
  const drifted = live.drift.map(({ address }) => address).filter((address) => !moved.includes(address))
  const names = [...moved, ...drifted]
  const generation =
    live.generation === plan.live.generation
      ? []
      : [`generation ${plan.live.generation} → ${live.generation}`]
  const what = [...generation, ...names.slice(0, SHOWN)].join(', ') || 'the way the programs are attached'
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return new LbError('stale', `the plan is stale: since it was made, this changed: ${what}${more}`, {
    hint: 'plan again, look at it, and apply that',
  })
}
