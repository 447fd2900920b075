import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { findTarget, targetArgs } from '../cli/targets.ts'
import { nameOf, undrainTarget } from '../engine/execute/targets.ts'

export default class Undrain extends BaseCommand {
  static override summary = 'Put a drained target back into service.'
  static override description = `Takes back \`lb drain\`, whether its connections are over or not. A target that the configuration drains
(\`drain: true\`) stays drained: refused with exit code 6.`
  static override examples = ['<%= config.bin %> undrain web 10.0.0.1:8080']
  static override args = targetArgs

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Undrain)
    const world = await openWorld(flags.instance)
    const { key, deployment } = findTarget(world, args.proxy, args.target)
    const changed = undrainTarget(world, deployment, key).length > 0
    this.print(changed ? `The ${nameOf(key)} is back.` : `The ${nameOf(key)} was not drained.`)
    return { formatVersion: 1, instance: world.instance, target: key, changed }
  }
}
