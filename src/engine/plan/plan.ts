/** Two deployments → a plan. */
import type { LiveState } from '../model/live.ts'
import type { Change, ExecutablePlan } from '../model/plan.ts'
import { PLAN_FORMAT_VERSION } from '../model/plan.ts'
import { countResources, resourcesOf } from '../model/resource.ts'
import type { Attributes } from '../model/resource.ts'
import type { Deployment } from '../model/snapshot.ts'
import { diff, summarise } from './diff.ts'
import { differing } from './differing.ts'
import { repairs } from './repairs.ts'

/** Where the desired deployment came from. */
export interface PlanSource {
  readonly sources: readonly string[]
  readonly configHash: string
  /** SHA-256 of the object file that would run; `undefined` when planning without a kernel. */
  readonly program: string | undefined
}

export function makePlan(live: LiveState, desired: Deployment, source: PlanSource): ExecutablePlan {
  const [before, after] = differing(live.deployment, desired)
  const changes: Change[] = [
    ...programChange(live, source.program),
    ...diff(resourcesOf(before), resourcesOf(after)),
  ]
  const repaired = repairs(live.drift, changes)
  changes.push(...repaired)
  const summary = summarise(changes)
  return {
    plan: {
      formatVersion: PLAN_FORMAT_VERSION,
      instance: live.instance,
      live: { generation: live.generation, fingerprint: live.fingerprint },
      changes,
      drift: live.drift,
      summary,
      // A repair is of a resource that the configuration leaves as it is: only all of them tell.
      unchanged:
        repaired.length > 0
          ? untouched(desired, changes)
          : countResources(desired) - countResources(after) + untouched(after, changes),
    },
    base: live.deployment,
    desired,
    sources: source.sources,
    configHash: source.configHash,
  }
}

/** Resources that no change names. */
function untouched(deployment: Deployment, changes: readonly Change[]): number {
  const touched = new Set(changes.map(({ address }) => address))
  return [...resourcesOf(deployment).keys()].filter((address) => !touched.has(address)).length
}

/** An upgrade of the running programs to the ones this version of lb brings. */
function programChange(live: LiveState, sha256: string | undefined): Change[] {
  const running = live.program?.sha256
  if (running === undefined || sha256 === undefined || running === sha256) return []
  const attributes = (value: string): Attributes => ({ sha256: value.slice(0, 12) })
  return [{ action: 'update', address: 'program', before: attributes(running), after: attributes(sha256) }]
}
