import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { locked, noWaitFlag } from '../cli/locking.ts'
import { rollback } from '../engine/execute/rollback.ts'
import { renderChanges } from '../render/plan.ts'
import { renderStep } from '../render/steps.ts'

export default class Rollback extends BaseCommand {
  static override summary = 'Go back to a generation that is still loaded.'
  static override description = `Makes an older generation active again, with one write, and does not ask: going forth again is
\`lb rollback --to\` too. Connections keep their backends.`
  static override examples = ['<%= config.bin %> rollback', '<%= config.bin %> rollback --to 5']
  static override flags = {
    to: Flags.integer({
      helpValue: 'GENERATION',
      description: 'its number, from `lb history` [default: the one that served before]',
      min: 1,
    }),
    'no-wait': noWaitFlag,
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Rollback)
    const world = await openWorld(flags.instance)
    const note = (text: string): void => this.note(text)
    const { from, to, changes } = await locked(world, { noWait: flags['no-wait'], note }, () =>
      rollback(world, flags.to, (step, detail) => note(renderStep(step, detail))),
    )
    this.print(renderChanges(changes, { palette: this.palette }))
    this.print(`Generation ${to} serves. \`lb rollback --to ${from}\` takes this back.`)
    return { formatVersion: 1, instance: flags.instance, from, to, changes }
  }
}
