/** A drain as `lb drain` tells of it. */
import type { DrainDocument } from '../engine/model/drain.ts'
import { formatEndpoint } from '../engine/model/ip.ts'
import type { Palette } from './palette.ts'
import { counted, escapeText } from './text.ts'

/** Text without a final newline. */
export function renderDrain(
  { target, outcome, connections, deadline }: DrainDocument,
  palette: Palette,
): string {
  const name = escapeText(`${formatEndpoint(target.ip, target.port)} of proxy ${target.proxy}`)
  const left = `${counted(connections.current, 'connection')} of ${connections.initial} left`
  switch (outcome) {
    case 'draining': {
      const until = deadline === null ? '' : ` until ${new Date(deadline).toISOString()}`
      return `Target ${name} drains: ${left}${until}. \`lb undrain\` takes this back.`
    }
    case 'completed':
      return palette.green(`Target ${name} is drained: it has no connection any more.`)
    case 'timeout':
      return palette.yellow(`Target ${name} is out of time: ${left}. It stays out of service.`)
    case 'cancelled':
      return palette.yellow(`Target ${name} was put back into service meanwhile: ${left}.`)
  }
}
