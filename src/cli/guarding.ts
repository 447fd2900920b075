/** The flags by which an apply takes itself back, and what they come to. */
import { Flags } from '@oclif/core'
import type { Guarded } from '../engine/execute/apply.ts'
import type { World } from '../engine/execute/world.ts'
import { parseCondition } from '../engine/health/condition.ts'
import type { Condition } from '../engine/health/condition.ts'
import type { Confirmation } from '../engine/model/confirmation.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import { readDuration } from './duration.ts'
import { startGuard } from './guard.ts'

const DAY = 86_400_000

export const guardingFlags = {
  'confirm-within': Flags.string({
    helpValue: 'DURATION',
    description: 'go back by itself unless `lb confirm` follows in time, like 60s',
    exclusive: ['dry-run'],
  }),
  'rollback-if': Flags.string({
    helpValue: 'CONDITION',
    multiple: true,
    multipleNonGreedy: true,
    description:
      "go back where that comes true, like 'healthy < 50%' or 'errors > 5%'; repeatable: any of them",
    exclusive: ['dry-run'],
  }),
  'watch-for': Flags.string({
    helpValue: 'DURATION',
    description: 'how long to watch for --rollback-if [default: 30s]',
    dependsOn: ['rollback-if'],
  }),
}

export interface Guarding {
  readonly confirmMs: number | undefined
  readonly watch: { readonly conditions: readonly Condition[]; readonly ms: number } | undefined
}

export interface GuardingFlags {
  readonly 'confirm-within'?: string | undefined
  readonly 'rollback-if'?: string[] | undefined
  readonly 'watch-for'?: string | undefined
}

/** @throws LbError `usage` */
export function readGuarding(flags: GuardingFlags): Guarding {
  const { 'confirm-within': within, 'rollback-if': conditions, 'watch-for': watchFor } = flags
  const limits = { min: 1000, max: DAY }
  return {
    confirmMs: within === undefined ? undefined : readDuration('--confirm-within', within, limits),
    watch: conditions && {
      conditions: conditions.map(parseCondition),
      ms: readDuration('--watch-for', watchFor ?? '30s', limits),
    },
  }
}

/** How long after its watch a generation goes whose watcher was killed. */
const GRACE_MS = 10_000

/** What the executor is to write down, with the process that sees to it. */
export function guardedBy(world: World, { confirmMs, watch }: Guarding): Guarded | undefined {
  const ms = confirmMs ?? (watch && watch.ms + GRACE_MS)
  if (ms === undefined) return undefined
  return {
    kind: confirmMs === undefined ? 'watched' : 'asked',
    deadline: () => world.host.monotonicMs() + ms,
    onArmed: (confirmation) => startGuard(world, confirmation),
  }
}

type Watch = (confirmation: Confirmation, note: (text: string) => void) => Promise<void>

/** Finds out whether the targets can be watched, before anything is changed; gives how. */
export async function prepareWatch(world: World, plan: ExecutablePlan, { watch }: Guarding): Promise<Watch> {
  if (!watch) return () => Promise.resolve()
  const { requireWatchable, watchedTargets, watchTargets } = await import('./rollback-if.ts')
  const targets = watchedTargets(plan)
  const { conditions, ms: watchMs } = watch
  await requireWatchable(world, plan, targets, conditions)
  return (confirmation, note) => watchTargets(world, confirmation, { targets, conditions, watchMs, note })
}
