import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { findTarget, targetArgs } from '../cli/targets.ts'
import { readRuntimes, readWeightLog } from '../engine/live/runtime.ts'
import { historyOfDay, runtimeOfDay } from '../engine/model/clocks.ts'
import type { WhyDocument } from '../engine/model/why.ts'
import { explainTarget } from '../engine/why/why.ts'
import { renderWhy } from '../render/why.ts'

export default class Why extends BaseCommand {
  static override summary = 'Say why a target gets the share of new connections that it gets.'
  static override description = `Shows its configured and effective share of each list, what health, recovery, drain, circuit breaker and
load leave of it, and the latest hundred changes with their causes. Reads the maps only: no daemon has to run.`
  static override examples = ['<%= config.bin %> why web 10.0.0.1:8080']
  static override args = targetArgs

  async run(): Promise<WhyDocument> {
    const { args, flags } = await this.parse(Why)
    const world = await openWorld(flags.instance)
    const { kernel, host, paths, instance } = world
    const clocks = host.clocks()
    const { key, deployment } = findTarget(world, args.proxy, args.target)
    const explained = explainTarget(deployment, readRuntimes(kernel, paths), key)
    const document: WhyDocument = {
      formatVersion: 1,
      instance,
      ...explained,
      runtime: runtimeOfDay(explained.runtime, clocks),
      history: historyOfDay(readWeightLog(kernel, paths, key), clocks),
    }
    this.print(renderWhy(document, this.palette))
    return document
  }
}
