/** One probe from a process of its own: in another network namespace, or with few descriptors. */
import { openSync } from 'node:fs'
import { createProber } from '../../src/daemon/prober.ts'
import type { ProbeRequest } from '../../src/engine/model/probe.ts'
import { createDialer } from '../../src/kernel/dial.ts'

export interface ProbeTask {
  readonly request: ProbeRequest
  /** Opens files until there are no descriptors left. */
  readonly exhaust: boolean
}

const task = JSON.parse(process.argv[2] ?? '') as ProbeTask
const prober = createProber(createDialer())
// Made while there are descriptors: the first write to a pipe needs one.
process.stdout.write('')
if (task.exhaust) {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch {
    // Now there are none.
  }
}
process.stdout.write(JSON.stringify(await prober.probe(task.request)))
