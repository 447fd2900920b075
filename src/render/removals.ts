/** What becomes of the connections of removed targets. */
import { formatEndpoint } from '../engine/model/ip.ts'
import type { PendingRemoval, PlannedRemoval } from '../engine/model/removal.ts'
import type { Palette } from './palette.ts'
import { ago } from './status/ago.ts'
import { alignColumns, counted, escapeText } from './text.ts'

const SHOWN = 20

/** Of a plan. Text without a final newline. */
export function renderPlannedRemovals(removals: readonly PlannedRemoval[], palette: Palette): string {
  const lines = removals.slice(0, SHOWN).map(({ proxy, ip, port, connections, endAfterSec }) => {
    const name = `${escapeText(proxy)} ${formatEndpoint(ip, port)}`
    return `  ${name}: ${counted(connections, 'connection')}, ${fate(endAfterSec, palette)}`
  })
  const more = removals.slice(SHOWN)
  const left = more.reduce((sum, { connections }) => sum + connections, 0)
  return [
    palette.bold('Connections of targets that are removed:'),
    ...lines,
    ...(more.length > 0 ? [`  … and ${counted(left, 'connection')} of ${more.length} more`] : []),
  ].join('\n')
}

function fate(endAfterSec: number | null, { red }: Palette): string {
  if (endAfterSec === null) return 'left until they end'
  return endAfterSec === 0 ? red('ended at once') : `left for ${endAfterSec} s, then ${red('ended')}`
}

/** Those that are yet to end. Text without a final newline. */
export function renderPendingRemovals(
  removals: readonly PendingRemoval[],
  now: string,
  palette: Palette,
): string {
  const rows = removals.map(({ proxy, ip, port, connections, until }) => [
    escapeText(proxy),
    formatEndpoint(ip, port),
    String(connections),
    until > now ? ago(now, until) : 'now',
  ])
  const [head = '', ...lines] = alignColumns([['REMOVED FROM', 'TARGET', 'CONNS', 'END IN'], ...rows])
  return [palette.dim(head), ...lines].join('\n')
}
