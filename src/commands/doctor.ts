import { existsSync } from 'node:fs'
import { BaseCommand, configFlag } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { gatherFacts } from '../cli/doctor-facts.ts'
import { loadDesired } from '../cli/planning.ts'
import { hostNaming } from '../cli/resolving.ts'
import { configPaths } from '../cli/sources.ts'
import { check } from '../engine/doctor/check.ts'
import { doctorJson } from '../render/doctor-json.ts'
import { renderDoctor } from '../render/doctor.ts'

export default class Doctor extends BaseCommand {
  static override summary =
    'Check whether this host can run the configuration, and say how to mend what is not right.'
  static override description = `Looks at the kernel, rights, forwarding, each interface and the way to each target; changes nothing.
Without a configuration, at the machine only. Exit code 1 where something would stop an apply or its traffic.`
  static override examples = ['<%= config.bin %> doctor -c lb.yaml', '<%= config.bin %> doctor --json']
  static override flags = { config: configFlag() }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Doctor)
    const world = await openWorld(flags.instance)
    const given = flags.config !== undefined || configPaths(undefined).every((path) => existsSync(path))
    const config = given ? await loadDesired(flags.config, hostNaming(true)) : undefined
    this.noteWarnings(config?.warnings ?? [])
    const snapshot = config?.snapshot
    if (!snapshot)
      this.note('No configuration is given and there is no lb.yaml here: checking the machine only.')
    const findings = check(gatherFacts(world, snapshot))
    this.print(renderDoctor(findings, this.palette))
    const result = doctorJson(findings)
    if (!result.ok) this.exitWith(1)
    return result
  }
}
