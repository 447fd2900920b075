import { Flags } from '@oclif/core'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { EXIT_CODES } from '../cli/exit-codes.ts'
import { configPaths, readSources } from '../cli/sources.ts'
import { checkHost } from '../engine/config/host.ts'
import { loadConfig } from '../engine/config/load.ts'
import type { Problem } from '../engine/model/problem.ts'
import { renderGithub } from '../render/validate/github.ts'
import { renderProblems } from '../render/validate/human.ts'
import { problemsJson } from '../render/validate/json.ts'
import { renderSarif } from '../render/validate/sarif.ts'

const FORMATS = ['human', 'json', 'github', 'sarif'] as const

export default class Validate extends BaseCommand {
  static override summary = 'Check configuration files: syntax, keys and meaning, all errors at once.'
  static override description =
    'Needs no root and no kernel: run it in CI. Exit code 1 where there is an error.'
  static override examples = [
    '<%= config.bin %> validate -c lb.yaml',
    '<%= config.bin %> validate -c conf.d --format github',
    '<%= config.bin %> validate -c lb.yaml --host',
  ]
  static override flags = {
    config: configFlag(),
    format: Flags.option({
      options: FORMATS,
      description: 'how to print problems',
      default: 'human' as (typeof FORMATS)[number],
    })(),
    host: Flags.boolean({ description: 'also check that this host has the interfaces' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Validate)
    const sources = readSources(configPaths(flags.config))
    const loaded = loadConfig(sources)
    const problems: Problem[] = [...(loaded.ok ? loaded.warnings : loaded.problems)]
    if (loaded.ok && flags.host) {
      const { kernel } = await openWorld(flags.instance)
      const names = kernel.net.interfaces().map(({ name }) => name)
      problems.push(...checkHost(loaded, names))
    }
    const valid = !problems.some(({ severity }) => severity === 'error')
    this.print(this.render(problems, flags.format, sources.length))
    if (!valid) this.exitWith(EXIT_CODES.config)
    return problemsJson(problems)
  }

  private render(problems: readonly Problem[], format: (typeof FORMATS)[number], files: number): string {
    switch (format) {
      case 'json':
        return JSON.stringify(problemsJson(problems), null, 2)
      case 'github':
        return renderGithub(problems)
      case 'sarif':
        return renderSarif(problems)
      case 'human':
        if (problems.length > 0) return renderProblems(problems, this.palette)
        return `Valid: ${files === 1 ? 'one file' : `${files} files`}, no problems.`
    }
  }
}
