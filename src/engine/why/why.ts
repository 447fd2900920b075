/** From what is configured and what is known to the reasons for a target's share. */
import { numberDeployment } from '../abi/numbering.ts'
import { targetId } from '../abi/runtime.ts'
import type { Runtimes } from '../abi/runtime.ts'
import { effectiveGroup, runtimeIn, withDeclaredDrain } from '../abi/selection.ts'
import { FRESH_RUNTIME } from '../model/runtime.ts'
import type { TargetKey } from '../model/runtime.ts'
import type { Deployment, Target } from '../model/snapshot.ts'
import type { ListShare, WhyDocument } from '../model/why.ts'
import { partsOf } from '../select/factor.ts'

export type Explanation = Pick<WhyDocument, 'target' | 'lists' | 'factors' | 'runtime' | 'drainConfigured'>

/** Of a target that the deployment has. */
export function explainTarget(deployment: Deployment, runtimes: Runtimes, key: TargetKey): Explanation {
  const index = deployment.snapshot.proxies.findIndex(({ name }) => name === key.proxy)
  const proxy = deployment.snapshot.proxies[index]
  const numbers = numberDeployment(deployment).proxies[index]
  const runtime = runtimes.get(targetId(key))?.runtime ?? FRESH_RUNTIME
  const lists: ListShare[] = []
  let declared: Target | undefined
  const sources = [null, ...(proxy?.sourceRoutes.map(({ source }) => source) ?? [])]
  for (const [i, group] of [numbers?.group ?? 0, ...(numbers?.routeGroups ?? [])].entries()) {
    const targets = i === 0 ? proxy?.defaultTarget : proxy?.sourceRoutes[i - 1]?.targets
    const place = targets?.findIndex(({ ip, port }) => ip === key.ip && port === key.port) ?? -1
    const target = targets?.[place]
    if (!targets || !target) continue
    if (target.drain) declared = target
    const { shares, entries } = effectiveGroup(deployment, group, runtimeIn(runtimes))
    const { entries: own, cause } = shares[place]!
    const sum = targets.reduce((all, { weight }) => all + (weight ?? 1), 0)
    lists.push({
      source: sources[i] ?? null,
      configured: percent((target.weight ?? 1) / sum),
      effective: percent(own / entries.length),
      cause,
    })
  }
  const composed = declared ? withDeclaredDrain(declared, runtime) : runtime
  return {
    target: key,
    lists,
    factors: partsOf(composed).map(([cause, factor]) => ({ cause, factor })),
    runtime,
    drainConfigured: declared !== undefined,
  }
}

/** To a hundredth. */
function percent(share: number): number {
  return Math.round(share * 10_000) / 100
}
