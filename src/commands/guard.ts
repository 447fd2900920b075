import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { standGuard } from '../cli/guard.ts'

export default class Guard extends BaseCommand {
  static override hidden = true
  static override enableJsonFlag = false
  static override summary =
    'Go back from a generation that nobody confirms: started by `lb apply --confirm-within`.'
  static override flags = {
    generation: Flags.integer({ required: true, min: 1, description: 'that is to be confirmed' }),
    deadline: Flags.integer({
      required: true,
      min: 0,
      description: 'of the monotonic clock, in milliseconds',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Guard)
    await standGuard(await openWorld(flags.instance), flags)
  }
}
