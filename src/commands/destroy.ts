import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { locked, noWaitFlag } from '../cli/locking.ts'
import { confirm } from '../cli/prompt.ts'
import { destroy } from '../engine/execute/destroy.ts'
import type { World } from '../engine/execute/world.ts'
import { readLive } from '../engine/live/read.ts'
import { LbError } from '../engine/model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../engine/model/live.ts'
import type { LiveState } from '../engine/model/live.ts'
import { makePlan } from '../engine/plan/plan.ts'
import { renderPlan } from '../render/plan.ts'
import { planJson } from '../render/plan-json.ts'
import { renderStep } from '../render/steps.ts'

export default class Destroy extends BaseCommand {
  static override summary = 'Detach and unpin everything of an instance, after showing it and asking.'
  static override description = `Ends all its connections. Works on a damaged instance too. There is no way back but \`lb apply\`.`
  static override examples = ['<%= config.bin %> destroy', '<%= config.bin %> destroy --instance blue --yes']
  static override flags = {
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    'no-wait': noWaitFlag,
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Destroy)
    const world = await openWorld(flags.instance)
    const { kernel, paths, instance } = world
    if (kernel.fs.list(paths.root) === undefined) {
      this.print(`Nothing to destroy: there is no instance ${instance}.`)
      return { formatVersion: 1, instance, destroyed: false }
    }
    const live = this.readOrExplain(world)
    const plan = live && makePlan({ ...live, drift: [] }, EMPTY_DEPLOYMENT, NO_SOURCE).plan
    if (plan) this.print(renderPlan(plan, { palette: this.palette }))
    if (!flags.yes) {
      if (this.jsonEnabled()) throw new LbError('usage', '--json does not ask: add --yes')
      await confirm(`Do you want to remove all of instance ${instance}?`, 'lb destroy')
    }
    const note = (text: string): void => this.note(text)
    await locked(world, { noWait: flags['no-wait'], note }, () =>
      destroy(world, (step, detail) => note(renderStep(step, detail))),
    )
    this.print(`Instance ${instance} is gone.`)
    return { formatVersion: 1, instance, destroyed: true, ...(plan && { plan: planJson(plan) }) }
  }

  /** A damaged instance cannot be shown, but it can be removed. */
  private readOrExplain({ kernel, host, instance, paths }: World): LiveState | undefined {
    try {
      return readLive(kernel, host, instance, paths).live
    } catch (error) {
      if (!(error instanceof LbError) || error.code !== 'state') throw error
      this.note(`Warning: ${error.message}`)
      return undefined
    }
  }
}

const NO_SOURCE = { sources: [], configHash: '', program: undefined }
