import { BaseCommand } from '../cli/base.ts'
import { lookUpStatus } from '../cli/status.ts'
import { renderStatus } from '../render/status.ts'

export default class Status extends BaseCommand {
  static override summary =
    'Show an instance on one screen: what serves, what the daemon does, how each target is.'
  static override description = `Asks the daemon (\`lb watch\`) of the instance. Without one it shows what the kernel's maps tell, and says so.
SHARE is a target's part of new connections by its weight, NOW what it is at the moment, and WHY what takes off or adds.`
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json']

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Status)
    const document = await lookUpStatus(flags.instance)
    this.print(renderStatus(document, this.palette))
    return document
  }
}
