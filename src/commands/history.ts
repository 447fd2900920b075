import { BaseCommand } from '../cli/base.ts'
import { pendingHere } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { listGenerations, readActiveSlot } from '../engine/live/generations.ts'
import { SLOT_NONE } from '../engine/live/read.ts'
import { renderPending } from '../render/confirmation.ts'
import { renderHistory } from '../render/history.ts'
import { historyJson } from '../render/history-json.ts'

export default class History extends BaseCommand {
  static override summary = 'List the generations that are loaded: number, time, who, what, from which files.'
  static override examples = ['<%= config.bin %> history', '<%= config.bin %> history --json']

  async run(): Promise<unknown> {
    const { flags } = await this.parse(History)
    const world = await openWorld(flags.instance)
    const { kernel, host, paths, instance } = world
    const records = listGenerations(kernel, host, paths, readActiveSlot(kernel, paths, SLOT_NONE))
    this.print(renderHistory(records, this.palette))
    const confirmation = pendingHere(world)
    if (confirmation) this.print(renderPending(confirmation))
    return { ...historyJson(instance, records), confirmation }
  }
}
