import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { waitForDrain } from '../cli/draining.ts'
import type { DrainProgress } from '../cli/draining.ts'
import { readDuration } from '../cli/duration.ts'
import { findTarget, targetArgs } from '../cli/targets.ts'
import { NO_TIMEOUT } from '../engine/drain/drain.ts'
import { drainTarget } from '../engine/execute/targets.ts'
import { openConnections } from '../engine/live/open-connections.ts'
import { readRuntime } from '../engine/live/runtime.ts'
import { timeOfDay } from '../engine/model/clocks.ts'
import type { Clocks } from '../engine/model/clocks.ts'
import type { DrainDocument } from '../engine/model/drain.ts'
import { renderDrain } from '../render/drain.ts'
import { counted } from '../render/text.ts'

export default class Drain extends BaseCommand {
  static override summary = 'Take a target out of service: no new connections, those that it has go on.'
  static override description = `Holds at once, across applies and rollbacks and without a daemon, until \`lb undrain\`. With --wait,
waits until the connections are over: exit code 0 when they are, 1 when the time is over or somebody undrains. Connections are
never cut. Refused (exit code 6) for the last target of a list that is not drained: with all of them drained, all get traffic.`
  static override examples = [
    '<%= config.bin %> drain web 10.0.0.1:8080',
    '<%= config.bin %> drain web 10.0.0.1:8080 --timeout 60s --wait',
  ]
  static override args = targetArgs
  static override flags = {
    timeout: Flags.string({
      helpValue: 'DURATION',
      description:
        'how long connections have to end, like 60s; none: for ever [default: settings.defaultDrainTimeoutMs]',
    }),
    wait: Flags.boolean({ description: 'wait until it is over' }),
    force: Flags.boolean({ description: 'also the last target of a list' }),
  }

  async run(): Promise<DrainDocument> {
    const { args, flags } = await this.parse(Drain)
    const given = flags.timeout === undefined ? undefined : readTimeout(flags.timeout)
    const world = await openWorld(flags.instance)
    const { kernel, paths, instance } = world
    const target = findTarget(world, args.proxy, args.target)
    const { key, deployment } = target
    const { snapshot } = deployment
    const connections = openConnections(kernel, paths, snapshot)(key)
    const timeoutMs = given ?? snapshot.settings.defaultDrainTimeoutMs
    const updates = drainTarget(world, deployment, key, { timeoutMs, connections, force: flags.force })
    const begun = { drain: readRuntime(kernel, paths, key).drain, connections }
    const progress = flags.wait
      ? await waitForDrain(world, target, (now) =>
          this.note(`${counted(now.connections, 'connection')} left`),
        )
      : begun
    const document: DrainDocument = {
      formatVersion: 1,
      instance,
      target: key,
      changed: updates.length > 0,
      ...describe(progress, begun, world.host.clocks()),
    }
    this.print(renderDrain(document, this.palette))
    if (flags.wait && document.outcome !== 'completed') this.exitWith(1)
    return document
  }
}

function readTimeout(text: string): number {
  return text === 'none' ? NO_TIMEOUT : readDuration('--timeout', text, { min: 1000, max: 3_600_000 })
}

function describe(
  { drain, connections }: DrainProgress,
  begun: DrainProgress,
  clocks: Clocks,
): Pick<DrainDocument, 'outcome' | 'connections' | 'deadline'> {
  const { deadline, initial } = drain.state === 'none' ? begun.drain : drain
  return {
    outcome: drain.state === 'none' ? 'cancelled' : drain.state,
    connections: { initial, current: connections },
    deadline: deadline === 0 ? null : timeOfDay(deadline, clocks),
  }
}
