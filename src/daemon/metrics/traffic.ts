/** The data plane's totals as counters have to be for Prometheus: never going back but where they begin anew. */
import type { CounterSnapshot } from '../../engine/model/counters.ts'

export interface Totals {
  readonly ip: string
  readonly port: string
  readonly bytes: Readonly<Record<'forward' | 'reverse', number>>
  readonly packets: Readonly<Record<'forward' | 'reverse', number>>
  readonly opened: number
}

/**
 * By address and port, both protocols together. A packet that is left to the stack is taken back after it was
 * counted: a total that is a little less than before stays as it was, or it would look like a restart.
 */
export function totalsOf(
  counters: CounterSnapshot,
  before: ReadonlyMap<string, Totals>,
): Map<string, Totals> {
  const totals = new Map<string, Totals>()
  for (const [identity, { counters: c }] of counters) {
    const place = identity.slice(0, identity.lastIndexOf('/'))
    const known = totals.get(place)
    const [, ip = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? []
    totals.set(place, {
      ip,
      port,
      bytes: add(known?.bytes, c.bytesForward, c.bytesReverse),
      packets: add(known?.packets, c.packetsForward, c.packetsReverse),
      opened: (known?.opened ?? 0) + c.opened,
    })
  }
  for (const [place, now] of totals) {
    const last = before.get(place)
    if (!last || now.opened < last.opened) continue
    totals.set(place, {
      ...now,
      bytes: most(now.bytes, last.bytes),
      packets: most(now.packets, last.packets),
    })
  }
  return totals
}

type Directions = Totals['bytes']

function add(known: Directions | undefined, forward: number, reverse: number): Directions {
  return { forward: forward + (known?.forward ?? 0), reverse: reverse + (known?.reverse ?? 0) }
}

function most(a: Directions, b: Directions): Directions {
  return { forward: Math.max(a.forward, b.forward), reverse: Math.max(a.reverse, b.reverse) }
}
