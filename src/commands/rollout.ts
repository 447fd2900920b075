import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { settleOverdue } from '../cli/confirming.ts'
import { openWorld } from '../cli/context.ts'
import { readDuration } from '../cli/duration.ts'
import { confirm } from '../cli/prompt.ts'
import type { RolloutStep } from '../engine/plan/rollout.ts'
import { refuseUnconfirmed } from '../engine/execute/confirm.ts'
import { DEFAULT_KEEP } from '../engine/execute/prune.ts'
import { LbError } from '../engine/model/errors.ts'

const HOUR = 3_600_000

export default class Rollout extends BaseCommand {
  static override summary = "Replace a proxy's targets in batches: drain, swap, wait until the new ones work."
  static override description = `Each batch is an apply of its own. Where a new target does not work in time, the targets from before serve
again (exit code 7). Interrupted or killed, the same command goes on where it was. docs/guarded.md has the rest.`
  static override examples = [
    '<%= config.bin %> rollout web --to targets.yaml',
    '<%= config.bin %> rollout web --to targets.yaml --batch 2 --interval 30s --yes',
    '<%= config.bin %> rollout web --to targets.yaml --dry-run',
  ]
  static override args = {
    proxy: Args.string({ description: 'name of the proxy', required: true, ignoreStdin: true }),
  }
  static override flags = {
    to: Flags.string({
      helpValue: 'FILE',
      description: 'the targets to come: a list as in defaultTarget, YAML or JSON; - for stdin',
      required: true,
    }),
    batch: Flags.integer({ description: 'targets to replace at a time', default: 1, min: 1 }),
    interval: Flags.string({
      helpValue: 'DURATION',
      description: 'how long to wait between batches',
      default: '30s',
    }),
    'drain-timeout': Flags.string({
      helpValue: 'DURATION',
      description: 'how long a batch waits for connections to end [default: settings.defaultDrainTimeoutMs]',
    }),
    'health-timeout': Flags.string({
      helpValue: 'DURATION',
      description: 'how long new targets have to become healthy',
      default: '60s',
    }),
    'no-wait-health': Flags.boolean({ description: 'do not wait until new targets work' }),
    'dry-run': Flags.boolean({ description: 'show the batches, and change nothing' }),
    keep: Flags.integer({
      description: 'generations that stay loaded for rollback, the new one among them',
      default: DEFAULT_KEEP,
      min: 2,
      max: 15,
    }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Rollout)
    const intervalMs = readDuration('--interval', flags.interval, { min: 0, max: 24 * HOUR })
    const drainGiven = flags['drain-timeout']
    const drainMs = drainGiven && readDuration('--drain-timeout', drainGiven, { min: 100, max: HOUR })
    const timeoutMs = readDuration('--health-timeout', flags['health-timeout'], { min: 100, max: HOUR })
    const world = await openWorld(flags.instance)
    const note = (text: string): void => this.note(text)
    const { describeStep, findServing, prepareRollout, rollOut } = await import('../cli/rollout.ts')
    const { readTargetsFile } = await import('../cli/targets-file.ts')
    const { daemonForRollout, requireRollable } = await import('../cli/rollout-checks.ts')
    if (!flags['dry-run']) await settleOverdue(world, { noWait: false, note })
    const serving = findServing(world, args.proxy)
    const wanted = readTargetsFile(flags.to, serving.proxy)
    const daemon = await daemonForRollout(world)
    const health = flags['no-wait-health'] ? undefined : { daemon, timeoutMs }
    requireRollable(serving, wanted, health)
    const rollout = prepareRollout(world, serving, { wanted, batch: flags.batch })
    const document = {
      formatVersion: 1,
      instance: flags.instance,
      proxy: args.proxy,
      resumed: rollout.resumed,
      batches: rollout.steps.map(batchJson),
    }
    if (rollout.steps.length === 0) {
      this.print(`Nothing to roll out: proxy ${args.proxy} has these targets.`)
      return { ...document, rolledOut: false, generation: serving.live.generation }
    }
    if (rollout.resumed) this.print('Goes on with a rollout that was interrupted.')
    for (const [i, step] of rollout.steps.entries()) this.print(`Batch ${i + 1}: ${describeStep(step)}`)
    if (flags['dry-run']) return { ...document, rolledOut: false, generation: serving.live.generation }
    refuseUnconfirmed(world)
    if (!flags.yes) {
      if (this.jsonEnabled()) throw new LbError('usage', '--json does not ask: add --yes')
      await confirm(`Do you want to replace the targets of proxy ${args.proxy} as shown?`, 'lb rollout')
    }
    const { defaultDrainTimeoutMs } = serving.deployment.snapshot.settings
    const generation = await rollOut(world, rollout, {
      wanted,
      batch: flags.batch,
      intervalMs,
      drainMs: drainMs || defaultDrainTimeoutMs,
      health,
      keep: flags.keep,
      source: `rollout ${args.proxy} to ${flags.to}`,
      note,
    })
    this.print(
      `Rolled out: proxy ${args.proxy} has its ${wanted.length} targets. Generation ${generation} serves.`,
    )
    return { ...document, rolledOut: true, generation }
  }
}

function batchJson({ drain, add, list }: RolloutStep): unknown {
  return { drain, add, targets: list }
}
