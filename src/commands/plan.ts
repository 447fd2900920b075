import { Flags } from '@oclif/core'
import { readFileSync } from 'node:fs'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { EXIT_CHANGES } from '../cli/exit-codes.ts'
import { pendingHere } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { configDiff } from '../cli/output.ts'
import { planLive, planOffline } from '../cli/planning.ts'
import type { Planned } from '../cli/planning.ts'
import type { Naming } from '../cli/naming.ts'
import { removalsOf } from '../cli/removals.ts'
import { allowUnresolvedFlag, hostNaming } from '../cli/resolving.ts'
import { writeWhole } from '../cli/write-file.ts'
import type { PendingConfirmation } from '../engine/model/confirmation.ts'
import { LbError } from '../engine/model/errors.ts'
import { hasChanges } from '../engine/model/plan.ts'
import type { PlannedRemoval } from '../engine/model/removal.ts'
import { writePlanFile } from '../engine/plan/plan-file.ts'
import { parseStateJson } from '../engine/plan/state-file.ts'
import { renderPending } from '../render/confirmation.ts'
import { renderPlan } from '../render/plan.ts'
import { planJson } from '../render/plan-json.ts'
import { renderPlannedRemovals } from '../render/removals.ts'

interface PlannedHere extends Planned {
  readonly confirmation: PendingConfirmation | null
  readonly removals: readonly PlannedRemoval[]
}

export default class Plan extends BaseCommand {
  static override summary = 'Show what apply would change, and what drifted.'
  static override description = `Compares the configuration with what the BPF maps hold. Changes nothing and takes no lock.
Exit code 0, or 2 with --detailed-exitcode where there are changes.`
  static override examples = [
    '<%= config.bin %> plan -c lb.yaml',
    '<%= config.bin %> plan -c lb.yaml -o change.plan',
    '<%= config.bin %> plan -c conf.d --against state.json --json',
  ]
  static override flags = {
    config: configFlag(),
    out: Flags.string({ char: 'o', helpValue: 'FILE', description: 'save the plan, for `lb apply FILE`' }),
    'allow-unresolved': allowUnresolvedFlag,
    diff: Flags.boolean({ description: 'show a text diff of the canonical configuration as well' }),
    'detailed-exitcode': Flags.boolean({ description: 'exit with 2 where there are changes' }),
    against: Flags.string({
      helpValue: 'STATE',
      description: 'plan against a saved `lb show --json`, on any machine and without root',
      exclusive: ['out'],
    }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Plan)
    const naming = hostNaming(flags['allow-unresolved'])
    const planned =
      flags.against === undefined
        ? await this.planHere(flags.instance, flags.config, naming, flags.out)
        : {
            ...(await planOffline(readState(flags.against), flags.config, naming)),
            confirmation: null,
            removals: [],
          }
    const { plan } = planned.plan
    this.noteWarnings(planned.warnings)
    if (planned.confirmation) this.note(renderPending(planned.confirmation))
    this.print(renderPlan(plan, { palette: this.palette }))
    const { removals } = planned
    if (removals.length > 0) this.print(`\n${renderPlannedRemovals(removals, this.palette)}`)
    if (flags.diff) this.print(configDiff(planned.plan, this.palette))
    if (flags.out !== undefined) this.note(`Saved the plan. To apply exactly this: lb apply ${flags.out}`)
    if (flags['detailed-exitcode'] && hasChanges(plan)) this.exitWith(EXIT_CHANGES)
    return { ...planJson(plan), confirmation: planned.confirmation, removals }
  }

  private async planHere(
    instance: string,
    config: readonly string[] | undefined,
    naming: Naming,
    out: string | undefined,
  ): Promise<PlannedHere> {
    const world = await openWorld(instance)
    const planned = await planLive(world, config, naming)
    if (out !== undefined) {
      writeWhole(out, writePlanFile(planned.plan, world.host.digest), { mode: 0o600, overwrite: true })
    }
    return { ...planned, confirmation: pendingHere(world), removals: removalsOf(world, planned.plan) }
  }
}

function readState(path: string): Planned['live'] {
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new LbError('input', `cannot read the saved state ${path}`, { cause })
  }
  return parseStateJson(text)
}
