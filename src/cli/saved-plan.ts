/** Plans that `lb plan -o` saved. */
import { readFileSync } from 'node:fs'
import type { World } from '../engine/execute/world.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import { readPlanFile } from '../engine/plan/plan-file.ts'
import { staleness } from '../engine/plan/stale.ts'

/** Before it is shown and asked about; under the lock it is checked again. */
export function refuseStale({ kernel, host, instance, paths }: World, plan: ExecutablePlan): void {
  const { live } = readLive(kernel, host, instance, paths)
  if (live.fingerprint !== plan.plan.live.fingerprint) throw staleness(plan, live)
}

export function readSavedPlan(world: World, path: string): ExecutablePlan {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new LbError('input', `cannot read the plan ${path}`, { cause })
  }
  const plan = readPlanFile(text, world.host.digest)
  if (plan.plan.instance === world.instance) return plan
  throw new LbError('input', `${path} is a plan for instance ${plan.plan.instance}, not ${world.instance}`, {
    hint: `--instance ${plan.plan.instance}`,
  })
}
