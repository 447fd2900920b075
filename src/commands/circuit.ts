import { Args } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { findTarget, targetArgs } from '../cli/targets.ts'
import { nameOf, setCircuit } from '../engine/execute/targets.ts'
import type { CircuitAction } from '../engine/execute/targets.ts'
import { readRuntime } from '../engine/live/runtime.ts'

const DONE: Readonly<Record<CircuitAction, string>> = {
  open: 'is open: it gets no new connections until it is closed by hand',
  close: 'is closed',
  reset: 'is closed, and what was observed is forgotten',
}

export default class Circuit extends BaseCommand {
  static override summary = 'Open, close or reset the circuit breaker of a target by hand.'
  static override description = `An open circuit sends no new connections to a target; those that it has go on. Opened by hand it stays open,
whatever is observed, until it is closed or reset by hand. Where the circuits of all targets of a list are open, all get traffic.`
  static override examples = [
    '<%= config.bin %> circuit open web 10.0.0.1:8080',
    '<%= config.bin %> circuit close web 10.0.0.1:8080',
  ]
  static override args = {
    action: Args.custom<CircuitAction>({
      description: 'what to do',
      ignoreStdin: true,
      options: ['open', 'close', 'reset'],
    })({ required: true }),
    ...targetArgs,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Circuit)
    const world = await openWorld(flags.instance)
    const { key } = findTarget(world, args.proxy, args.target)
    const changed = setCircuit(world, key, args.action).length > 0
    this.print(`The circuit of ${nameOf(key)} ${DONE[args.action]}.`)
    const { breaker } = readRuntime(world.kernel, world.paths, key)
    return { formatVersion: 1, instance: world.instance, target: key, changed, breaker }
  }
}
