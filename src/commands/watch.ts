import { Flags } from '@oclif/core'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { allowUnresolvedFlag } from '../cli/resolving.ts'
import { configPaths } from '../cli/sources.ts'
import { DEFAULT_KEEP } from '../engine/execute/prune.ts'
import { LbError } from '../engine/model/errors.ts'

export default class Watch extends BaseCommand {
  static override enableJsonFlag = false
  static override summary = 'Keep an instance as its files say: reload, health checks, names, drains.'
  static override description = `Runs in the foreground until SIGTERM or SIGINT; the data plane stays. SIGHUP reads the files again.
Writes a line for each decision: JSON, or text where stdout is a terminal. docs/daemon.md has the rest.`
  static override examples = [
    '<%= config.bin %> watch -c lb.yaml',
    '<%= config.bin %> watch -c /etc/lb --approve manual',
    '<%= config.bin %> watch -c lb.yaml --on-drift reconcile --log-level debug',
  ]
  static override flags = {
    config: configFlag(),
    approve: Flags.option({
      options: ['auto', 'manual'] as const,
      default: 'auto',
      description: 'manual: publish what would change, and leave it to `lb apply`',
    })(),
    'on-drift': Flags.option({
      options: ['report', 'reconcile'] as const,
      description: 'what to do where others changed the kernel [default: settings.onDrift]',
    })(),
    'allow-unresolved': allowUnresolvedFlag,
    force: Flags.boolean({ description: 'go on where a guard would refuse' }),
    keep: Flags.integer({
      description: 'generations that stay loaded for rollback, the new one among them',
      default: DEFAULT_KEEP,
      min: 1,
      max: 15,
    }),
    'detach-on-exit': Flags.boolean({ description: 'remove the data plane when it ends' }),
    'log-level': Flags.option({
      options: ['debug', 'info', 'warn', 'error'] as const,
      default: 'info',
      description: 'the least that is written',
    })(),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Watch)
    const paths = configPaths(flags.config)
    if (paths.includes('-'))
      throw new LbError('usage', 'standard input cannot be watched: name files or folders')
    // The daemon is large, and only this command needs it.
    const { runWatch } = await import('../cli/watching.ts')
    await runWatch({
      instance: flags.instance,
      paths,
      approve: flags.approve,
      onDrift: flags['on-drift'],
      keep: flags.keep,
      force: flags.force,
      detachOnExit: flags['detach-on-exit'],
      logLevel: flags['log-level'],
      allowUnresolved: flags['allow-unresolved'],
      version: this.config.version,
    })
  }
}
