/** The connections as `lb connections` shows them. */
import type { ConnectionReport, ConnTotals } from '../engine/model/connections.ts'
import type { PendingRemoval } from '../engine/model/removal.ts'
import type { Palette } from './palette.ts'
import { renderPendingRemovals } from './removals.ts'
import { alignColumns, counted, escapeText } from './text.ts'

export interface ConnectionsDocument extends ConnectionReport {
  readonly formatVersion: 1
  readonly instance: string
  readonly maxConnections: number
  /** Removed targets whose connections are to end. */
  readonly removals: readonly PendingRemoval[]
  /** Connections that were ended, by what for. */
  readonly ended: { readonly removed: number }
  /** Connections that made room for others, by the state they were in, and packets that found none. */
  readonly evicted: ConnTotals['evicted']
  readonly refused: Readonly<Record<string, number>>
}

const NO_PROXY = '(no proxy)'
const COUNT_HEADS = ['PROXY', 'TARGET', 'CONNECTIONS']
const HEADS = ['PROXY', 'PROTO', 'STATE', 'IDLE', 'CLIENT', 'LISTENER', 'TARGET', 'PACKETS', 'BYTES']

/** Text without a final newline. */
export function renderConnections(document: ConnectionsDocument, now: string, palette: Palette): string {
  const { total, counts, connections, removals, evicted, ended, refused, maxConnections } = document
  const sections = [`${counted(total, 'connection')}; at most ${maxConnections}.`]
  if (counts.length > 0) {
    const rows = counts.map((row) => [name(row.proxy), row.target, String(row.connections)])
    sections.push(table([COUNT_HEADS, ...rows], palette))
  }
  if (connections.length > 0) {
    const rows = connections.map((c) => [
      ...[name(c.proxy), c.protocol, c.state, `${c.idleSec} s`, c.client, c.listener, c.target],
      ...[`${c.packetsForward}/${c.packetsReverse}`, `${c.bytesForward}/${c.bytesReverse}`],
    ])
    sections.push(table([HEADS, ...rows], palette))
    if (connections.length < total) sections.push(`(${total - connections.length} more: --limit)`)
  }
  if (removals.length > 0) sections.push(renderPendingRemovals(removals, now, palette))
  const lost = [
    ...entries('evicted', evicted),
    ...entries('refused', refused),
    ...(ended.removed > 0 ? [`ended: ${ended.removed} of removed targets`] : []),
  ]
  if (lost.length > 0) sections.push(lost.join('\n'))
  return sections.join('\n\n')
}

const name = (proxy: string | null): string => (proxy === null ? NO_PROXY : escapeText(proxy))

function table(rows: readonly (readonly string[])[], palette: Palette): string {
  const [head = '', ...lines] = alignColumns(rows)
  return [palette.bold(head), ...lines].join('\n')
}

function entries(what: string, counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).map(([reason, count]) => `${what}: ${count} ${reason}`)
}
