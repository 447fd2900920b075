/** What a generation has that is to be kept: targets, how each is checked, and which lists share load. */
import { identityOf } from '../../engine/abi/numbering.ts'
import { targetId } from '../../engine/abi/runtime.ts'
import type { CheckedTarget } from '../../engine/health/checks.ts'
import { healthCheckOf } from '../../engine/model/policy.ts'
import type { DaemonSettings } from '../../engine/model/policy.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import { DEFAULT_SETTINGS } from '../../engine/model/snapshot.ts'
import type { Deployment, Target } from '../../engine/model/snapshot.ts'

export interface KeptTarget {
  readonly id: string
  readonly key: TargetKey
  /** Of its backend, which has the counters. */
  readonly identity: string
}

export interface Inventory {
  readonly settings: DaemonSettings
  /** Each target of each proxy once, by id. */
  readonly targets: ReadonlyMap<string, KeptTarget>
  readonly checked: readonly CheckedTarget[]
  readonly checkedIds: ReadonlySet<string>
  /** Lists of more than one target. A target is in the first of its proxy's lists that has it. */
  readonly lists: readonly (readonly { readonly target: KeptTarget; readonly weight: number | null }[])[]
}

export const NOTHING: Inventory = {
  settings: DEFAULT_SETTINGS,
  targets: new Map(),
  checked: [],
  checkedIds: new Set(),
  lists: [],
}

export function inventoryOf({ snapshot }: Deployment): Inventory {
  const { settings } = snapshot
  const targets = new Map<string, KeptTarget>()
  const checked: CheckedTarget[] = []
  const lists: Inventory['lists'][number][] = []
  for (const { name: proxy, listen, defaultTarget, sourceRoutes } of snapshot.proxies) {
    const { protocol } = listen
    for (const list of [defaultTarget, ...sourceRoutes.map((route) => route.targets)]) {
      const members = list.flatMap((target) => {
        const kept = keep(proxy, protocol, target)
        const check = healthCheckOf(settings, target)
        if (check) checked.push({ key: kept.key, check })
        if (targets.has(kept.id)) return []
        targets.set(kept.id, kept)
        return [{ target: kept, weight: target.weight }]
      })
      if (members.length > 1) lists.push(members)
    }
  }
  return { settings, targets, checked, checkedIds: new Set(checked.map(({ key }) => targetId(key))), lists }
}

function keep(proxy: string, protocol: TargetKey['protocol'], { ip, port }: Target): KeptTarget {
  const key = { proxy, ip, port, protocol }
  return { id: targetId(key), key, identity: identityOf(ip, port, protocol) }
}
