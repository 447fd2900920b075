import { Args, Flags } from '@oclif/core'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { settleOverdue } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { guardedBy, guardingFlags, prepareWatch, readGuarding } from '../cli/guarding.ts'
import { locked, noWaitFlag } from '../cli/locking.ts'
import { configDiff } from '../cli/output.ts'
import { planLive } from '../cli/planning.ts'
import { confirm } from '../cli/prompt.ts'
import { removalsOf } from '../cli/removals.ts'
import { allowUnresolvedFlag, hostNaming } from '../cli/resolving.ts'
import { readSavedPlan, refuseStale } from '../cli/saved-plan.ts'
import { apply } from '../engine/execute/apply.ts'
import type { ApplyOptions, ApplyResult } from '../engine/execute/apply.ts'
import { refuseUnconfirmed } from '../engine/execute/confirm.ts'
import { hasLeftovers } from '../engine/execute/leftovers.ts'
import { DEFAULT_KEEP } from '../engine/execute/prune.ts'
import { recover } from '../engine/execute/recover.ts'
import type { World } from '../engine/execute/world.ts'
import { pendingConfirmation } from '../engine/model/confirmation.ts'
import type { PendingConfirmation } from '../engine/model/confirmation.ts'
import { LbError } from '../engine/model/errors.ts'
import { hasChanges } from '../engine/model/plan.ts'
import type { Plan } from '../engine/model/plan.ts'
import type { PlannedRemoval } from '../engine/model/removal.ts'
import { guardRemovals } from '../engine/plan/guard.ts'
import { renderPending } from '../render/confirmation.ts'
import { renderPlan } from '../render/plan.ts'
import { planJson } from '../render/plan-json.ts'
import { renderPlannedRemovals } from '../render/removals.ts'
import { renderStep } from '../render/steps.ts'

export default class Apply extends BaseCommand {
  static override summary = 'Plan, show the plan, ask, and carry out exactly what was shown.'
  static override description = `Builds the next generation of tables beside the running one, reads it back, and makes it
active with one write. If anything fails, the old generation serves (exit code 7; 8 if it could not be restored).
With a saved plan applies that plan, and refuses it (exit code 4) if the live state has moved since. docs/guarded.md says how
an apply takes itself back.`
  static override examples = [
    '<%= config.bin %> apply -c lb.yaml',
    '<%= config.bin %> apply change.plan --yes',
    '<%= config.bin %> apply -c lb.yaml --dry-run --yes',
    '<%= config.bin %> apply -c lb.yaml --confirm-within 60s',
    "<%= config.bin %> apply -c lb.yaml --rollback-if 'healthy < 50%' --watch-for 30s",
  ]
  static override args = {
    // oclif would take a name from standard input, which is the configuration's.
    plan: Args.string({ description: 'a plan that `lb plan -o` saved', ignoreStdin: true }),
  }
  static override flags = {
    config: configFlag(),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    force: Flags.boolean({ description: 'go on where a guard would refuse' }),
    'allow-unresolved': allowUnresolvedFlag,
    'dry-run': Flags.boolean({ description: 'do everything but the flip, then clean up' }),
    diff: Flags.boolean({ description: 'show a text diff of the canonical configuration as well' }),
    keep: Flags.integer({
      description: 'generations that stay loaded for rollback, the new one among them',
      default: DEFAULT_KEEP,
      min: 1,
      max: 15,
    }),
    ...guardingFlags,
    'no-wait': noWaitFlag,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Apply)
    if (args.plan !== undefined && (flags.config || flags['allow-unresolved'])) {
      const flag = flags.config ? '-c' : '--allow-unresolved'
      throw new LbError('usage', `a saved plan brings its configuration: leave out ${flag}`)
    }
    const guarding = readGuarding(flags)
    const world = await openWorld(flags.instance)
    const note = (text: string): void => this.note(text)
    const locking = { noWait: flags['no-wait'], note }
    if (!flags['dry-run']) await settleOverdue(world, locking)
    const planned =
      args.plan === undefined
        ? await planLive(world, flags.config, hostNaming(flags['allow-unresolved']))
        : { plan: readSavedPlan(world, args.plan), warnings: [] }
    const { plan } = planned
    if (args.plan !== undefined) refuseStale(world, plan)
    this.noteWarnings(planned.warnings)
    this.print(renderPlan(plan.plan, { palette: this.palette }))
    const removals = removalsOf(world, plan)
    if (removals.length > 0) this.print(`\n${renderPlannedRemovals(removals, this.palette)}`)
    if (flags.diff) this.print(configDiff(plan, this.palette))
    if (!hasChanges(plan.plan)) {
      await this.cleanUp(world, flags['no-wait'])
      return result(plan.plan, undefined, null, [])
    }
    if (!flags.force && !flags['dry-run']) refuseUnconfirmed(world)
    const watch = await prepareWatch(world, plan, guarding)
    if (!flags.yes) {
      if (this.jsonEnabled()) throw new LbError('usage', '--json does not ask: add --yes')
      await confirm(`Do you want to change instance ${world.instance} as shown?`, 'lb apply')
    } else if (!flags.force) {
      guardRemovals(plan)
    }
    const guarded = guardedBy(world, guarding)
    const options: ApplyOptions = {
      keep: flags.keep,
      dryRun: flags['dry-run'],
      force: flags.force,
      onStep: (step, detail) => note(renderStep(step, detail)),
      ...(guarded && { guarded }),
    }
    const done = await locked(world, locking, () => apply(world, plan, options))
    if (done.confirmation) await watch(done.confirmation, note)
    const pending =
      done.confirmation?.kind === 'asked' ? pendingConfirmation(done.confirmation, world.host.clocks()) : null
    this.print(outcome(plan.plan, done))
    if (pending) this.print(renderPending(pending))
    return result(plan.plan, done, pending, removals)
  }

  /** Nothing to change: what a killed writer left goes all the same. */
  private async cleanUp(world: World, noWait: boolean): Promise<void> {
    if (!hasLeftovers(world)) return
    const note = (text: string): void => this.note(text)
    await locked(world, { noWait, note }, () => {
      for (const done of recover(world)) note(renderStep('recover', done))
    })
  }
}

function outcome({ summary }: Plan, done: ApplyResult): string {
  if (done.dryRun) {
    const serving = done.previous === 0 ? 'nothing is applied' : `generation ${done.previous} serves`
    return `Dry run: everything but the flip succeeded; ${serving}, as before.`
  }
  const counts = `${summary.create} added, ${summary.update} changed, ${summary.delete} destroyed`
  const back = done.previous === 0 ? '' : ` \`lb rollback\` goes back to generation ${done.previous}.`
  return `Apply complete: ${counts}. Generation ${done.generation} serves.${back}`
}

function result(
  plan: Plan,
  done: ApplyResult | undefined,
  confirmation: PendingConfirmation | null,
  removals: readonly PlannedRemoval[],
): unknown {
  return {
    formatVersion: 1,
    instance: plan.instance,
    applied: done !== undefined && !done.dryRun,
    dryRun: done?.dryRun ?? false,
    generation: done?.generation ?? plan.live.generation,
    previousGeneration: done?.previous ?? plan.live.generation,
    confirmation,
    removals,
    plan: planJson(plan),
  }
}
