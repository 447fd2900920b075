import { Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base.ts'
import { openWorld } from '../cli/context.ts'
import { readConnRecords, reportConnections } from '../engine/live/connections.ts'
import { readBackendCounters } from '../engine/live/counters.ts'
import { readConnTotals, readReasons } from '../engine/live/raw.ts'
import { readLive } from '../engine/live/read.ts'
import { pendingRemovals } from '../engine/live/removals.ts'
import type { CounterSnapshot } from '../engine/model/counters.ts'
import { renderConnections } from '../render/connections.ts'
import type { ConnectionsDocument } from '../render/connections.ts'

export default class Connections extends BaseCommand {
  static override summary = 'Count the live connections by proxy and target, and list those used last.'
  static override description = `Reads the kernel's connection tables, without the lock. Packets and bytes are those to the target, then
those back. A connection whose listener is gone from the configuration belongs to no proxy.`
  static override examples = [
    '<%= config.bin %> connections',
    '<%= config.bin %> connections --proxy web --limit 100',
    '<%= config.bin %> connections --target 10.0.0.1:8080 --json',
  ]
  static override flags = {
    limit: Flags.integer({ description: 'connections to list, the counts aside', default: 20, min: 0 }),
    proxy: Flags.string({ helpValue: 'NAME', description: 'only those of this proxy' }),
    target: Flags.string({ helpValue: 'ADDRESS[:PORT]', description: 'only those of this target' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Connections)
    const { kernel, host, paths, instance } = await openWorld(flags.instance)
    const { live } = readLive(kernel, host, instance, paths)
    const { snapshot } = live.deployment
    const clocks = host.clocks()
    // The kernel's coarse clock, as bpf/lib/clock.h has it.
    const now = Number((process.hrtime.bigint() >> 20n) & 0xffffffffn)
    const refused = Object.entries(readReasons(kernel, paths)).filter(([reason]) => REFUSALS.has(reason))
    const document: ConnectionsDocument = {
      formatVersion: 1,
      instance,
      maxConnections: snapshot.settings.maxConnections,
      ...reportConnections(readConnRecords(kernel, paths), snapshot, flags, now),
      removals: pendingRemovals(kernel, clocks, paths, live.slot),
      evicted: readConnTotals(kernel, paths).evicted,
      ended: { removed: endedWithTarget(readBackendCounters(kernel, paths)) },
      refused: Object.fromEntries(refused),
    }
    this.print(renderConnections(document, new Date(clocks.utc).toISOString(), this.palette))
    return document
  }
}

function endedWithTarget(counters: CounterSnapshot): number {
  return [...counters.values()].reduce((sum, { counters: { removed } }) => sum + removed, 0)
}

const REFUSALS: ReadonlySet<string> = new Set(['LB_DROP_CONN_LIMIT', 'LB_DROP_CONN_TABLE_FULL'])
