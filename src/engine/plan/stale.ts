/** A plan whose live state has moved: says what moved. */
import { LbError } from '../model/errors.ts'
import type { LiveState } from '../model/live.ts'
import type { Drift, ExecutablePlan } from '../model/plan.ts'
import { resourcesOf } from '../model/resource.ts'
import { diff } from './diff.ts'
import { differing } from './differing.ts'

const SHOWN = 10

/** Addresses of drift that came, went or changed. */
function movedDrift(before: readonly Drift[], after: readonly Drift[]): string[] {
  const known = new Set(before.map((drift) => JSON.stringify(drift)))
  const found = new Set(after.map((drift) => JSON.stringify(drift)))
  const came = after.filter((drift) => !known.has(JSON.stringify(drift)))
  const went = before.filter((drift) => !found.has(JSON.stringify(drift)))
  return [...came, ...went].map(({ address }) => address)
}

export function staleness({ plan, base }: ExecutablePlan, live: LiveState): LbError {
  const [before, after] = differing(base, live.deployment)
  const moved = diff(resourcesOf(before), resourcesOf(after)).map(({ address }) => address)
  const names = [...new Set([...moved, ...movedDrift(plan.drift, live.drift)])]
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
