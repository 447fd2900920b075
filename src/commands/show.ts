import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { pendingHere } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { toCanonicalYaml, toConfigObject } from '../engine/config/canonical.ts'
import { readRaw } from '../engine/live/raw.ts'
import { readLive } from '../engine/live/read.ts'
import { renderPending } from '../render/confirmation.ts'
import { renderJson } from '../render/json.ts'
import { stateJson } from '../engine/plan/state-file.ts'

export default class Show extends BaseCommand {
  static override summary = 'Print the live state as configuration.'
  static override description = `Reads the BPF maps back and prints what they say as canonical YAML: \`lb show | lb plan -c -\` finds
no changes. The same state gives the same text.`
  static override examples = [
    '<%= config.bin %> show > lb.yaml',
    '<%= config.bin %> show --json > state.json',
    '<%= config.bin %> show --raw',
  ]
  static override flags = {
    raw: Flags.boolean({ description: 'the maps as they are, row by row, and the counters, as JSON' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Show)
    const world = await openWorld(flags.instance)
    const { kernel, host, paths, instance } = world
    const { live, images } = readLive(kernel, host, instance, paths)
    if (flags.raw) {
      const raw = readRaw(kernel, paths, live, images)
      this.print(renderJson(raw))
      return raw
    }
    this.print(toCanonicalYaml(live.deployment.snapshot))
    if (live.generation === 0) this.note(`Nothing is applied on instance ${instance}.`)
    if (live.drift.length > 0) this.note('The maps were changed by something else than lb: see `lb plan`.')
    const confirmation = pendingHere(world)
    if (confirmation) this.note(renderPending(confirmation))
    return { ...stateJson(live, toConfigObject(live.deployment.snapshot)), confirmation }
  }
}
