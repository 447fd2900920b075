import { BaseCommand } from '../cli/base.ts'
import { confirmServing } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { noWaitFlag } from '../cli/locking.ts'

export default class Confirm extends BaseCommand {
  static override summary = 'Keep the generation that `lb apply --confirm-within` made.'
  static override description = `Exit code 1 where nothing is to be confirmed, 6 where it is too late: then the generation of before
serves. docs/guarded.md has the rest.`
  static override examples = ['<%= config.bin %> confirm', '<%= config.bin %> confirm --json']
  static override flags = { 'no-wait': noWaitFlag }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Confirm)
    const world = await openWorld(flags.instance)
    const note = (text: string): void => this.note(text)
    const { generation, previous } = await confirmServing(world, { noWait: flags['no-wait'], note })
    this.print(`Generation ${generation} is confirmed.`)
    return { formatVersion: 1, instance: flags.instance, generation, previousGeneration: previous }
  }
}
