/** How an instance is: from its daemon, or from its maps where it has none. */
import { askDaemon } from '../daemon/control/client.ts'
import { socketPath } from '../daemon/control/protocol.ts'
import { readStatus } from '../engine/live/look.ts'
import { statusOf } from '../engine/live/status.ts'
import { LbError } from '../engine/model/errors.ts'
import type { StatusDocument } from '../engine/model/status.ts'
import { openWorld } from './context.ts'
import { runDir } from './run-dir.ts'

export async function lookUpStatus(instance: string): Promise<StatusDocument> {
  const asked = await askDaemon(socketPath(runDir(), instance), 'GET', '/v1/status')
  if (!asked) return statusOf(readStatus(await openWorld(instance)), undefined)
  if (asked.status === 200) return asked.body as StatusDocument
  const { error } = asked.body as { error?: { message?: string } }
  throw new LbError('host', `the daemon cannot tell: ${error?.message ?? `status ${asked.status}`}`)
}
