import { Args, Flags } from '@oclif/core'
import { readFileSync } from 'node:fs'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { locked, noWaitFlag } from '../cli/locking.ts'
import { configDiff } from '../cli/output.ts'
import { planLive } from '../cli/planning.ts'
import { confirm } from '../cli/prompt.ts'
import { allowUnresolvedFlag, hostNaming } from '../cli/resolving.ts'
import { apply } from '../engine/execute/apply.ts'
import type { ApplyResult } from '../engine/execute/apply.ts'
import { hasLeftovers } from '../engine/execute/leftovers.ts'
import { DEFAULT_KEEP } from '../engine/execute/prune.ts'
import { recover } from '../engine/execute/recover.ts'
import type { World } from '../engine/execute/world.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import { hasChanges } from '../engine/model/plan.ts'
import type { ExecutablePlan, Plan } from '../engine/model/plan.ts'
import { guardRemovals } from '../engine/plan/guard.ts'
import { readPlanFile } from '../engine/plan/plan-file.ts'
import { staleness } from '../engine/plan/stale.ts'
import { renderPlan } from '../render/plan.ts'
import { planJson } from '../render/plan-json.ts'
import { renderStep } from '../render/steps.ts'

export default class Apply extends BaseCommand {
  static override summary = 'Plan, show the plan, ask, and carry out exactly what was shown.'
  static override description = `Builds the next generation of tables beside the running one, reads it back, and makes it
active with one write. If anything fails, the old generation serves (exit code 7; 8 if it could not be restored).
With a saved plan applies that plan, and refuses it (exit code 4) if the live state has moved since.`
  static override examples = [
    '<%= config.bin %> apply -c lb.yaml',
    '<%= config.bin %> apply change.plan --yes',
    '<%= config.bin %> apply -c lb.yaml --dry-run --yes',
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
    'no-wait': noWaitFlag,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Apply)
    if (args.plan !== undefined && (flags.config || flags['allow-unresolved'])) {
      const flag = flags.config ? '-c' : '--allow-unresolved'
      throw new LbError('usage', `a saved plan brings its configuration: leave out ${flag}`)
    }
    const world = await openWorld(flags.instance)
    const planned =
      args.plan === undefined
        ? await planLive(world, flags.config, hostNaming(flags['allow-unresolved']))
        : { plan: readSavedPlan(world, args.plan), warnings: [] }
    const { plan } = planned
    if (args.plan !== undefined) refuseStale(world, plan)
    this.noteWarnings(planned.warnings)
    this.print(renderPlan(plan.plan, { palette: this.palette }))
    if (flags.diff) this.print(configDiff(plan, this.palette))
    if (!hasChanges(plan.plan)) {
      await this.cleanUp(world, flags['no-wait'])
      return result(plan.plan, undefined)
    }
    if (!flags.yes) {
      if (this.jsonEnabled()) throw new LbError('usage', '--json does not ask: add --yes')
      await confirm(`Do you want to change instance ${world.instance} as shown?`, 'lb apply')
    } else if (!flags.force) {
      guardRemovals(plan)
    }
    const note = (text: string): void => this.note(text)
    const options = {
      keep: flags.keep,
      dryRun: flags['dry-run'],
      onStep: (step: string, detail: string) => note(renderStep(step, detail)),
    }
    const done = await locked(world, { noWait: flags['no-wait'], note }, () => apply(world, plan, options))
    this.print(outcome(plan.plan, done))
    return result(plan.plan, done)
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

/** Before it is shown and asked about; under the lock it is checked again. */
function refuseStale({ kernel, host, instance, paths }: World, plan: ExecutablePlan): void {
  const { live } = readLive(kernel, host, instance, paths)
  if (live.fingerprint !== plan.plan.live.fingerprint) throw staleness(plan, live)
}

function readSavedPlan(world: World, path: string): ExecutablePlan {
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

function outcome({ summary }: Plan, done: ApplyResult): string {
  if (done.dryRun) {
    const serving = done.previous === 0 ? 'nothing is applied' : `generation ${done.previous} serves`
    return `Dry run: everything but the flip succeeded; ${serving}, as before.`
  }
  const counts = `${summary.create} added, ${summary.update} changed, ${summary.delete} destroyed`
  const back = done.previous === 0 ? '' : ` \`lb rollback\` goes back to generation ${done.previous}.`
  return `Apply complete: ${counts}. Generation ${done.generation} serves.${back}`
}

function result(plan: Plan, done: ApplyResult | undefined): unknown {
  return {
    formatVersion: 1,
    instance: plan.instance,
    applied: done !== undefined && !done.dryRun,
    dryRun: done?.dryRun ?? false,
    generation: done?.generation ?? plan.live.generation,
    previousGeneration: done?.previous ?? plan.live.generation,
    plan: planJson(plan),
  }
}
